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
--   (select count(*) from staging.playlists) = (select count(*) from (select distinct playlist_id, position from raw.playlists) as places)
with versions as (
    select
        playlist_id,
        position,
        track_id,
        user_id,
        title,
        added_at,
        row_number() over (partition by playlist_id, position order by batch_no desc) as version_no
    from raw.playlists
)

select
    playlist_id,
    position,
    track_id,
    user_id,
    title,
    added_at
from versions
where version_no = 1
