-- Playlists: the newest row of each place in each list.
-- grain: playlist_id, position
-- rows: 0
-- columns:
--   playlist_id  playlist
--   position     place in the list, from 1 [count]
--   track_id     recording
--   user_id      listener who keeps it (pseudonymous id), null where unknown
--   title        its title, null where none
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
