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
