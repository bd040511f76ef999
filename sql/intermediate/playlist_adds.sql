-- When each recording was first added to each playlist.
-- grain: track_id, playlist_id
-- rows: 0
-- columns:
--   track_id     recording
--   playlist_id  playlist
--   added_at     time of the first add (UTC)
--   week_no      week of the add, Monday to Sunday, counted from the week of 1970-01-01 [weeks]
-- checks:
--   added_at is not null
-- reconcile:
--   (select count(*) from intermediate.playlist_adds) <= (select count(*) from marts.playlist_tracks where added_at is not null)
select
    track_id,
    playlist_id,
    min(added_at) as added_at,
    cast(floor(epoch(date_trunc('week', cast(min(added_at) as timestamp))) / 604800) as bigint) as week_no
from marts.playlist_tracks
where added_at is not null
group by track_id, playlist_id
