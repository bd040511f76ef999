-- Plays of each recording per week, Monday to Sunday. Weeks without a listen or event have no row.
-- grain: track_id, week_start
-- columns:
--   track_id    recording
--   week_start  Monday of the week (market time zone)
--   n_plays     plays [count]
-- checks:
--   n_plays >= 0
-- reconcile:
--   (select sum(n_plays) from intermediate.track_weekly) = (select sum(n_plays) from marts.track_daily)
select
    track_id,
    cast(date_trunc('week', listen_date) as date) as week_start,
    cast(sum(n_plays) as bigint) as n_plays
from marts.track_daily
group by track_id, cast(date_trunc('week', listen_date) as date)
