-- Songs that reached the top ten of a chart, with their peak: the first edition at their best rank. Songs that peaked
-- in the chart's last twelve editions are left out, because their decline is not over.
-- grain: chart, song_id
-- rows: 0
-- columns:
--   chart         chart
--   song_id       title / lead artist, lower case, as in marts.chart_weekly
--   peak_week_no  number of the peak edition, from 1 [count]
--   peak_rank     best rank, from 1 [count]
--   decade        decade of the peak [years]
-- checks:
--   peak_rank between 1 and 10
-- reconcile:
--   (select count(*) from intermediate.chart_hits) <= (select count(*) from (select distinct chart, song_id from marts.chart_weekly where rank <= 10) as hits)
with ranked as (
    select
        chart,
        song_id,
        chart_date,
        week_no,
        rank,
        row_number() over (partition by chart, song_id order by rank asc, week_no asc) as peak_no,
        max(week_no) over (partition by chart) as last_edition
    from marts.chart_weekly
)

select
    chart,
    song_id,
    week_no as peak_week_no,
    rank as peak_rank,
    cast(floor(year(chart_date) / 10) * 10 as bigint) as decade
from ranked
where peak_no = 1 and rank <= 10 and week_no <= last_edition - 12
