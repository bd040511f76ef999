-- Playlists: the newest row per playlist and position.
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
--   (select count(*) from staging.playlists) = (select count(*) from (select distinct playlist_id, position from raw.playlists_versions) as places)
select
    playlist_id,
    position,
    track_id,
    user_id,
    title,
    added_at
from raw.playlists
