-- What each source delivered on each day of ingest, with bounds learned from its past: rows by weekday and trend, days
-- until the next delivery. A source is all files of a table whose names differ in digits only.
-- grain: source, source_table, ingested_on
-- rows: 0
-- columns:
--   source        file name without its digits
--   source_table  raw table
--   ingested_on   day of ingest
--   n_files       files [count]
--   n_read        rows in the files [count]
--   n_accepted    rows that entered the lake [count]
--   n_refused     rows that the data contract refused [count]
--   n_expected    expected rows, null with fewer than four deliveries of this weekday in the eight weeks before [count]
--   n_low         lower bound of the expected rows: four standard deviations below; null where n_expected is [count]
--   n_high        upper bound of the expected rows: four standard deviations above; null where n_expected is [count]
--   is_unusual    whether the rows are out of bounds, null where there are none
--   gap_days      days since the delivery before, null for the first [d]
--   due_in_days   the longest gap of the last eight, after which the next delivery is due; null with fewer than four [d]
-- checks:
--   n_low is null or n_low <= n_expected and n_expected <= n_high
--   gap_days is null or gap_days >= 1
-- reconcile:
--   (select count(*) from marts.source_volumes) = (select count(*) from intermediate.source_days)
with gaps as (
    select
        source,
        source_table,
        day_no,
        day_no - lag(day_no) over (partition by source, source_table order by day_no asc) as gap_days
    from intermediate.source_days
),

due as (
    select
        source,
        source_table,
        day_no,
        gap_days,
        count(gap_days) over last_gaps as n_gaps,
        max(gap_days) over last_gaps as longest_gap
    from gaps
    window last_gaps as (
        partition by source, source_table
        order by day_no asc
        rows between 7 preceding and current row
    )
)

select
    days.source,
    days.source_table,
    days.ingested_on,
    days.n_files,
    days.n_read,
    days.n_accepted,
    days.n_refused,
    round(exp(bounds.level) - 1, 1) as n_expected,
    round(exp(bounds.level - 4 * bounds.spread) - 1, 1) as n_low,
    round(exp(bounds.level + 4 * bounds.spread) - 1, 1) as n_high,
    abs(days.level - bounds.level) > 4 * bounds.spread as is_unusual,
    due.gap_days,
    case when due.n_gaps >= 4 then due.longest_gap end as due_in_days
from intermediate.source_days as days
inner join due
    on
        days.source = due.source
        and days.source_table = due.source_table
        and days.day_no = due.day_no
left join intermediate.source_bounds as bounds
    on
        days.source = bounds.source
        and days.source_table = bounds.source_table
        and days.day_no = bounds.day_no
