-- What stands on which playlist: the newest row of each place in each list.
-- reason: analysts, products and marts.playlist_effect read it; staging is dropped when the build ends
-- grain: playlist_id, position
-- rows: 0
-- columns:
--   playlist_id  playlist
--   position     place in the list, from 1 [count]
--   track_id     recording
--   user_id      listener who keeps it (pseudonymous id), null where unknown
--   title        the playlist's title, null where none
--   added_at     when the recording was added (UTC), null where unknown
-- checks:
--   position >= 1
-- reconcile:
--   (select count(*) from marts.playlist_tracks) = (select count(*) from staging.playlists)
select
    playlist_id,
    position,
    track_id,
    user_id,
    title,
    added_at
from staging.playlists
