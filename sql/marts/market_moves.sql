-- Days and whole weeks of the last three months on which the whole market moved unusually: the plays of the whole home, or,
-- for a label, those of all other labels in the ledger. A move is the median of the changes from the same weekday, or the
-- week, in at least four of the eight weeks before; it is unusual from five times its error on: the greatest of their robust
-- standard deviation (1.4826 x the median absolute deviation), the noise of plays that come four at a time, and 2 %.
-- grain: label_id, from_day, to_day
-- rows: 0
-- labels: label_id
-- listening: n_plays
-- columns:
--   label_id    label, null for the whole home
--   from_day    first day (market time zone)
--   to_day      last day: the same one, or that of the week
--   change      plays of the market compared with its usual ones, in whole per cent; without the label's own
--   own_change  plays of the label compared with its usual ones, in whole per cent, null where its lines lack these periods
--   n_plays     plays of the whole home, null for a label [count]
--   n_weeks     earlier weeks that it is compared with [count]
-- checks:
--   change <> 0
--   n_weeks between 4 and 8
--   to_day = from_day or to_day = from_day + 6
-- reconcile:
--   (select count(*) from marts.market_moves where label_id is null) <= (select count(*) from intermediate.market_periods where label_id is null)
with medians as (
    select
        label_id,
        from_day,
        n_days,
        n_plays,
        change,
        own_change,
        median(change) over (partition by label_id, from_day, n_days) as usual_change
    from intermediate.market_changes
),

moves as (
    select
        label_id,
        from_day,
        n_days,
        usual_change as change,
        case when count(own_change) >= 4 then median(own_change) end as own_change,
        max(case when label_id is null then n_plays end) as n_plays,
        greatest(1.4826 * median(abs(change - usual_change)), 2 / sqrt(min(n_plays)), 0.02) as error,
        count(*) as n_weeks
    from medians
    group by label_id, from_day, n_days, usual_change
    having count(*) >= 4
),

log as (
    select max(listen_date) as last_day
    from marts.track_daily
)

select
    moves.label_id,
    moves.from_day,
    moves.from_day + moves.n_days - 1 as to_day,
    round(exp(moves.change) - 1, 2) as change,
    round(exp(moves.own_change) - 1, 2) as own_change,
    moves.n_plays,
    moves.n_weeks
from moves
cross join log
where abs(moves.change) >= 5 * moves.error and moves.from_day > log.last_day - 91
