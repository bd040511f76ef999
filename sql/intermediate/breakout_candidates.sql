-- Seven-day windows in which a recording's audience jumps, for marts.breakouts to examine. A window has at least 20
-- listener-days, 1.5 times those of the week before, and ends at least 20 days after the recording's first day in the
-- log and 28 days after its release.
-- grain: track_id, day_no
-- rows: 0
-- columns:
--   track_id             recording
--   listen_date          last of the seven days (market time zone)
--   day_no               that day as a number, counted from 1970-01-01 [d]
--   n_plays              plays of the seven days [count]
--   n_listener_days      listeners per day, summed over the seven days [count]
--   n_plays_before       plays of the seven days before, null where none [count]
--   n_plays_long_before  plays of the seven days before those, null where none [count]
--   known_from           first day on which it could be played: its release or the first day of the log, whichever is later [d]
--   n_market             plays of all recordings in the seven days [count]
-- checks:
--   n_listener_days >= 20
--   n_plays <= n_market
-- reconcile:
--   (select count(*) from intermediate.breakout_candidates) <= (select count(*) from marts.track_daily)
with days as (
    select
        track_id,
        listen_date,
        cast(epoch(cast(listen_date as timestamp)) / 86400 as bigint) as day_no,
        n_plays,
        n_listeners
    from marts.track_daily
),

windows as (
    select
        track_id,
        listen_date,
        day_no,
        min(day_no) over (partition by track_id) as first_day,
        cast(sum(n_plays) over this_week as bigint) as n_plays,
        cast(sum(n_listeners) over this_week as bigint) as n_listener_days,
        cast(sum(n_plays) over last_week as bigint) as n_plays_before,
        cast(sum(n_listeners) over last_week as bigint) as n_listener_days_before,
        cast(sum(n_plays) over week_before as bigint) as n_plays_long_before
    from days
    window
        this_week as (partition by track_id order by day_no range between 6 preceding and current row),
        last_week as (partition by track_id order by day_no range between 13 preceding and 7 preceding),
        week_before as (partition by track_id order by day_no range between 20 preceding and 14 preceding)
)

select
    windows.track_id,
    windows.listen_date,
    windows.day_no,
    windows.n_plays,
    windows.n_listener_days,
    windows.n_plays_before,
    windows.n_plays_long_before,
    greatest(
        market.first_day,
        coalesce(cast(epoch(cast(tracks.release_date as timestamp)) / 86400 as bigint), windows.first_day)
    ) as known_from,
    market.n_plays as n_market
from windows
inner join intermediate.market_days as market on windows.day_no = market.day_no
inner join marts.track_features as tracks on windows.track_id = tracks.track_id
where
    windows.n_listener_days >= 20
    and windows.n_listener_days >= 1.5 * coalesce(windows.n_listener_days_before, 0)
    and windows.day_no >= windows.first_day + 20
    and (tracks.release_date is null or windows.listen_date >= tracks.release_date + 28)
