-- Plays per listener, recording and week in the last 56 days of the log, weeks counted back from the last day.
-- grain: user_id, track_id, weeks_ago
-- rows: 0
-- columns:
--   user_id    listener (pseudonymous id)
--   track_id   recording
--   weeks_ago  0 for the last seven days of the log, 7 for the earliest of the eight weeks [weeks]
--   n_plays    plays [count]
-- checks:
--   weeks_ago between 0 and 7
--   n_plays >= 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.recent_weeks) <= (select coalesce(sum(n_plays), 0) from marts.interactions_daily)
with daily as (
    select
        daily.user_id,
        daily.track_id,
        daily.n_plays,
        floor(
            (epoch(cast(log_span.last_date as timestamp)) - epoch(cast(daily.listen_date as timestamp))) / 604800
        ) as weeks_ago
    from marts.interactions_daily as daily
    inner join intermediate.log_span as log_span on daily.listen_date > log_span.last_date - 56
    where daily.n_plays > 0
)

select
    user_id,
    track_id,
    cast(weeks_ago as bigint) as weeks_ago,
    cast(sum(n_plays) as bigint) as n_plays
from daily
group by user_id, track_id, weeks_ago
