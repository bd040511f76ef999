-- Daily plays of a recording over the last eight weeks.
-- params:
--   track_id  recording
select
    listen_date as day,
    cast(n_plays as double) as value
from marts.track_daily
where track_id = $track_id and listen_date > (select build.as_of - 56 from meta.build as build)
order by day asc
