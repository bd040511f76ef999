-- Plays of all recordings in the seven days that end with each day of the log.
-- grain: day_no
-- rows: 0
-- columns:
--   day_no     last of the seven days as a number, counted from 1970-01-01 [d]
--   n_plays    plays of the seven days [count]
--   first_day  first day of the log as such a number [d]
-- checks:
--   day_no >= first_day
-- reconcile:
--   (select count(*) from intermediate.market_days) = (select count(distinct listen_date) from marts.track_daily)
with days as (
    select
        cast(epoch(cast(listen_date as timestamp)) / 86400 as bigint) as day_no,
        sum(n_plays) as n_plays
    from marts.track_daily
    group by listen_date
)

select
    day_no,
    cast(sum(n_plays) over (order by day_no asc range between 6 preceding and current row) as bigint) as n_plays,
    min(day_no) over () as first_day
from days
