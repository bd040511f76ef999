-- How fast each recording fades: a line is fitted to ln(plays + 1/2) of the weeks from its best week on, at most 26;
-- the log's first and last week count only if they are complete. The half-life is ln 2 / weekly fall. A recording needs
-- at least 20 plays in its best week and four weeks to fit; among equal weeks, the earliest is the best.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id         recording
--   peak_week        Monday of the best week (market time zone)
--   n_plays_peak     plays in the best week [count]
--   n_listeners      distinct listeners with at least one play, over all days [count]
--   n_weeks          weeks fitted, the best one included [count]
--   slope            change of ln(plays + 1/2) per week
--   r2               share of the variance that the line explains, null where plays never change [0..1]
--   half_life_weeks  weeks until plays halve, null where they do not fall [weeks]
-- checks:
--   n_weeks between 4 and 26
--   half_life_weeks is null or half_life_weeks > 0
--   r2 is null or r2 between 0 and 1 + 1e-9
-- reconcile:
--   (select count(*) from marts.release_decay) <= (select count(distinct track_id) from marts.track_daily where n_plays > 0)
with whole_weeks as (
    select
        starts.week_start,
        row_number() over (order by starts.week_start asc) as week_no
    from (select distinct weeks.week_start from intermediate.track_weekly as weeks) as starts
    cross join intermediate.log_span as log_span
    where starts.week_start >= log_span.first_date and starts.week_start + 6 <= log_span.last_date
),

ranked as (
    select
        weeks.track_id,
        weeks.week_start,
        weeks.n_plays,
        whole_weeks.week_no,
        row_number() over (partition by weeks.track_id order by weeks.n_plays desc, weeks.week_start asc) as plays_rank
    from intermediate.track_weekly as weeks
    inner join whole_weeks on weeks.week_start = whole_weeks.week_start
),

points as (
    select
        peaks.track_id,
        1.0 * (whole_weeks.week_no - peaks.week_no) as x,
        ln(coalesce(ranked.n_plays, 0) + 0.5) as y
    from ranked as peaks
    inner join whole_weeks on whole_weeks.week_no between peaks.week_no and peaks.week_no + 25
    left join ranked on peaks.track_id = ranked.track_id and whole_weeks.week_no = ranked.week_no
    where peaks.plays_rank = 1 and peaks.n_plays >= 20
),

centred as (
    select
        track_id,
        x - avg(x) over (partition by track_id) as x,
        y - avg(y) over (partition by track_id) as y
    from points
),

lines as ( -- nullif: Spark divides before it leaves out tracks of one week
    select
        track_id,
        count(*) as n_weeks,
        sum(x * y) / nullif(sum(x * x), 0) as slope,
        case when sum(y * y) > 1e-9 then sum(x * y) * sum(x * y) / nullif(sum(x * x), 0) / sum(y * y) end as r2
    from centred
    group by track_id
    having count(*) >= 4
)

select
    lines.track_id,
    peaks.week_start as peak_week,
    peaks.n_plays as n_plays_peak,
    audiences.n_listeners,
    lines.n_weeks,
    round(lines.slope, 6) as slope,
    round(lines.r2, 6) as r2,
    case when lines.slope < -1e-9 then round(-ln(2) / lines.slope, 6) end as half_life_weeks
from lines
inner join ranked as peaks on lines.track_id = peaks.track_id and peaks.plays_rank = 1
inner join intermediate.track_audience as audiences on lines.track_id = audiences.track_id
