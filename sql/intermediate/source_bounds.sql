-- What each source was expected to deliver on a day, learned from the deliveries of the same weekday in the eight weeks
-- before, of which there are at least four, each moved along the trend: the median change of ln(rows + 1) from week to
-- week in these weeks.
-- grain: source, source_table, day_no
-- rows: 0
-- columns:
--   source        file name without its digits
--   source_table  raw table
--   day_no        day of ingest as a number, counted from 1970-01-01 [d]
--   n_weeks       weeks in the history [count]
--   level         expected ln(rows + 1): the median of the weeks
--   spread        1.4826 x the median absolute deviation from level, a robust standard deviation, at least 0.1
-- checks:
--   n_weeks between 4 and 8
--   spread >= 0.1
-- reconcile:
--   (select count(*) from intermediate.source_bounds) <= (select count(*) from intermediate.source_days)
with changes as (
    select
        days.source,
        days.source_table,
        days.day_no,
        median(later.level - earlier.level) as per_week
    from intermediate.source_days as days
    inner join intermediate.source_days as later
        on
            days.source = later.source
            and days.source_table = later.source_table
            and later.day_no between days.day_no - 49 and days.day_no - 1
    inner join intermediate.source_days as earlier
        on
            later.source = earlier.source
            and later.source_table = earlier.source_table
            and later.day_no - 7 = earlier.day_no
    group by days.source, days.source_table, days.day_no
),

weeks as (
    select
        days.source,
        days.source_table,
        days.day_no,
        past.level + coalesce(changes.per_week, 0) * (days.day_no - past.day_no) / 7 as level
    from intermediate.source_days as days
    inner join intermediate.source_days as past
        on
            days.source = past.source
            and days.source_table = past.source_table
            and past.day_no between days.day_no - 56 and days.day_no - 7
            and (days.day_no - past.day_no) % 7 = 0
    left join changes
        on
            days.source = changes.source
            and days.source_table = changes.source_table
            and days.day_no = changes.day_no
),

expected as (
    select
        source,
        source_table,
        day_no,
        count(*) as n_weeks,
        median(level) as level
    from weeks
    group by source, source_table, day_no
    having count(*) >= 4
)

select
    expected.source,
    expected.source_table,
    expected.day_no,
    expected.n_weeks,
    expected.level,
    greatest(0.1, 1.4826 * median(abs(weeks.level - expected.level))) as spread
from expected
inner join weeks
    on
        expected.source = weeks.source
        and expected.source_table = weeks.source_table
        and expected.day_no = weeks.day_no
group by expected.source, expected.source_table, expected.day_no, expected.n_weeks, expected.level
