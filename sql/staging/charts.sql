-- Charts as published: the newest row of each place of each chart, up to the run's date.
-- grain: chart, chart_date, rank
-- rows: 0
-- columns:
--   chart       chart
--   chart_date  the day that the chart is of
--   rank        place, from 1 [count]
--   title       title as published
--   artist      artist credit as published
--   track_id    recording, as delivered, null where not told
--   isrc        ISRC as delivered, null where not told
--   value       what the chart counts, such as streams or sales, null where not told
-- checks:
--   rank >= 1
-- reconcile:
--   (select count(*) from staging.charts) = (select count(*) from (select distinct chart, chart_date, rank from raw.charts) as places)
with versions as (
    select
        chart,
        chart_date,
        rank,
        title,
        artist,
        track_id,
        isrc,
        value,
        row_number() over (partition by chart, chart_date, rank order by batch_no desc) as version_no
    from raw.charts
)

select
    chart,
    chart_date,
    rank,
    title,
    artist,
    track_id,
    isrc,
    value
from versions
where version_no = 1
