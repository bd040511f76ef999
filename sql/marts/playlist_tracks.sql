-- Recordings on each playlist: the newest row per playlist and position.
-- reason: analysts, products and marts.playlist_effect read it; staging is dropped when the build ends
-- grain: playlist_id, position
-- rows: 0
-- columns:
--   playlist_id  playlist
--   position     position in the playlist, from 1 [count]
--   track_id     recording
--   user_id      owner (pseudonymous id), null where unknown
--   title        title of the playlist, null where none
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
