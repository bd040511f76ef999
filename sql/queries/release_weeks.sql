-- Plays of a label's releases in their first closed weeks, newest release first: the sum of its recordings that had enough
-- listeners for a figure, null where none had. Week 1 has the release date, and is counted from it. A week that was
-- closed together with later ones has no figure of its own. Releases (see marts.releases) before the first closed week
-- are left out.
-- params:
--   label  label id, every label where empty =
--   weeks  first weeks of each release [count] = 5
with weeks as (
    select
        label_id,
        from_day,
        to_day,
        date_trunc('week', to_day)::date as week_start,
        is_withheld,
        row_number() over (partition by label_id order by to_day asc) as week_no,
        min(from_day) over (partition by label_id) as first_day
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and not is_late and ($label = '' or label_id = $label)
),

releases as (
    select distinct
        recordings.label_id,
        recordings.release_id,
        recordings.title,
        recordings.artist_id,
        recordings.artist_name,
        recordings.release_date,
        recordings.n_recordings,
        recordings.kind,
        weeks.week_no,
        date_trunc('week', recordings.release_date)::date + 7 * (weeks.week_no::integer - 1) as week_start
    from marts.releases as recordings
    inner join weeks on recordings.label_id = weeks.label_id and recordings.release_date >= weeks.first_day
    cross join meta.build as build
    where weeks.week_no <= $weeks::integer and recordings.release_date <= build.as_of
),

figures as (
    select
        cell as track_id,
        to_day,
        case when count(value) = count(*) then sum(value)::bigint end as n_plays
    from marts.label_figures
    where dimension = 'recording' and measure = 'n_plays' and cell is not null
    group by cell, to_day
    having not bool_and(is_late)
),

plays as (
    select
        recordings.release_id,
        figures.to_day,
        sum(figures.n_plays)::bigint as n_plays,
        count(figures.n_plays) as n_recordings_with_figure
    from marts.releases as recordings
    inner join figures on recordings.track_id = figures.track_id
    group by recordings.release_id, figures.to_day
)

select
    releases.release_id,
    releases.title,
    releases.artist_id,
    releases.artist_name,
    releases.release_date,
    releases.kind,
    releases.n_recordings,
    releases.week_no::integer as period_no,
    weeks.from_day,
    weeks.to_day,
    (weeks.to_day - greatest(weeks.from_day, releases.release_date) + 1)::integer as n_days,
    weeks.to_day is not null as is_closed,
    coalesce(weeks.is_withheld, false) as is_withheld,
    plays.n_plays,
    coalesce(plays.n_recordings_with_figure, 0) as n_recordings_with_figure
from releases
left join weeks
    on
        releases.label_id = weeks.label_id and releases.week_start = weeks.week_start
        and releases.release_date <= weeks.to_day
left join plays on releases.release_id = plays.release_id and weeks.to_day = plays.to_day
order by releases.release_date desc, releases.release_id asc, releases.week_no asc
