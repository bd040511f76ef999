-- How fast hits fade, by chart and decade of their peak. A line is fitted to ln(chart points left) over the 13 editions
-- from the peak on. Points are 1 / rank, 0 off the chart, summed over the hits, as a share of the points at the peak;
-- they fall more evenly than ranks do. The half-life is ln 2 / weekly fall. Hits reached the top ten; their peak is the
-- first edition at their best rank. Hits that peaked in the last twelve editions are left out, because their decline is
-- not over.
-- grain: chart, decade
-- rows: 0
-- labels: all
-- columns:
--   chart            chart
--   decade           decade of the peak [years]
--   n_songs          hits [count]
--   n_weeks          editions fitted, the peak included, where any points are left [count]
--   slope            change of ln(points left) per week
--   r2               share of the variance that the line explains, null where points never change [0..1]
--   half_life_weeks  weeks until points halve on the line, null where they do not fall [weeks]
--   weeks_to_half    first week after the peak with fewer than half the points, null where there is none in the 13 editions [weeks]
-- checks:
--   n_weeks between 4 and 13
--   half_life_weeks is null or half_life_weeks > 0
--   r2 is null or r2 between 0 and 1 + 1e-9
--   weeks_to_half is null or weeks_to_half between 1 and 12
-- reconcile:
--   (select coalesce(sum(n_songs), 0) from marts.chart_half_lives) <= (select count(*) from (select distinct chart, song_id from marts.chart_weekly where rank <= 10) as hits)
with sizes as (
    select
        chart,
        decade,
        count(*) as n_songs,
        sum(1.0 / peak_rank) as points
    from intermediate.chart_hits
    group by chart, decade
),

points as (
    select
        hits.chart,
        hits.decade,
        weeks.week_no - hits.peak_week_no as week,
        sum(1.0 / weeks.rank) as points
    from intermediate.chart_hits as hits
    inner join marts.chart_weekly as weeks
        on
            hits.chart = weeks.chart
            and hits.song_id = weeks.song_id
            and weeks.week_no between hits.peak_week_no and hits.peak_week_no + 12
    group by hits.chart, hits.decade, weeks.week_no - hits.peak_week_no
),

shares as (
    select
        points.chart,
        points.decade,
        sizes.n_songs,
        points.week,
        points.points / sizes.points as share,
        ln(points.points / sizes.points) - avg(ln(points.points / sizes.points)) over decade_of as y,
        points.week - avg(points.week) over decade_of as x
    from points
    inner join sizes on points.chart = sizes.chart and points.decade = sizes.decade
    window decade_of as (partition by points.chart, points.decade)
),

lines as (
    select
        chart,
        decade,
        n_songs,
        count(*) as n_weeks,
        sum(x * y) / sum(x * x) as slope,
        case when sum(y * y) > 1e-9 then sum(x * y) * sum(x * y) / sum(x * x) / sum(y * y) end as r2,
        min(case when share < 0.5 then week end) as weeks_to_half
    from shares
    group by chart, decade, n_songs
    having count(*) >= 4
)

select
    chart,
    decade,
    n_songs,
    n_weeks,
    round(slope, 6) as slope,
    round(r2, 6) as r2,
    case when slope < -1e-9 then round(-ln(2) / slope, 6) end as half_life_weeks,
    weeks_to_half
from lines
