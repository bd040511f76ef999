-- Charts as published: the newest row per chart, date and rank, up to the run's date.
-- grain: chart, chart_date, rank
-- rows: 0
-- columns:
--   chart       chart
--   chart_date  date of the edition
--   rank        rank, from 1 [count]
--   title       title as published
--   artist      artist credit as published
--   track_id    recording as delivered, null where not delivered
--   isrc        ISRC as delivered, null where not delivered
--   value       what the chart counts, such as streams or sales, null where not delivered
-- checks:
--   rank >= 1
-- reconcile:
--   (select count(*) from staging.charts) = (select count(*) from (select distinct chart, chart_date, rank from raw.charts_versions) as places)
select
    chart,
    chart_date,
    rank,
    title,
    artist,
    track_id,
    isrc,
    value
from raw.charts
