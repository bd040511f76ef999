-- Plays of single days and of whole weeks in the last five months: of the whole home, and of each label as its lines of the
-- ledger have them. Days that a label's lines cover only together with others, withheld periods and late rows are left out.
-- grain: label_id, from_day, n_days
-- rows: 0
-- columns:
--   label_id  label, null for the whole home
--   from_day  first day of the period (market time zone)
--   n_days    length: 1 or 7 [d]
--   day_no    first day as a number, counted from 1970-01-01 [d]
--   n_plays   plays [count]
-- checks:
--   n_days in (1, 7)
--   n_plays > 0
-- reconcile:
--   (select count(*) from intermediate.market_periods where label_id is null and n_days = 1) <= (select count(distinct listen_date) from marts.track_daily)
with log as (
    select
        min(listen_date) as first_day,
        max(listen_date) as last_day
    from marts.track_daily
),

days as (
    select
        listen_date as day,
        sum(n_plays) as n_plays
    from marts.track_daily
    group by listen_date
    having sum(n_plays) > 0
),

weeks as (
    select
        cast(date_trunc('week', days.day) as date) as monday,
        sum(days.n_plays) as n_plays
    from days
    group by cast(date_trunc('week', days.day) as date)
),

periods as (
    select
        cast(null as varchar) as label_id,
        day as from_day,
        1 as n_days,
        n_plays
    from days
    union all
    select
        cast(null as varchar) as label_id,
        weeks.monday as from_day,
        7 as n_days,
        weeks.n_plays
    from weeks
    cross join log
    where weeks.monday >= log.first_day and weeks.monday + 6 <= log.last_day
    union all
    select
        label_id,
        from_day,
        case when dimension = 'day' then 1 else 7 end as n_days,
        value as n_plays
    from marts.label_figures
    where
        measure = 'n_plays'
        and not is_late
        and not is_withheld
        and (dimension = 'day' and to_day = from_day or dimension = 'week' and to_day = from_day + 6)
)

select
    periods.label_id,
    periods.from_day,
    periods.n_days,
    cast(epoch(cast(periods.from_day as timestamp)) / 86400 as bigint) as day_no,
    cast(periods.n_plays as bigint) as n_plays
from periods
cross join log
where periods.from_day > log.last_day - 147
