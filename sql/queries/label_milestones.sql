-- Artists and recordings of a label whose closed weeks passed a round number of plays in the last one: 1,000, 10,000 and
-- so on; the greatest number that each passed. Weeks with too few listeners have no figure and are not counted.
-- params:
--   label  label id, every label where empty =
--   least  least round number [count] = 1000
--   n      rows at most [count] = 20
with weeks as (
    select
        label_id,
        dimension,
        cell,
        artist_id,
        to_day,
        sum(value)::bigint as n_plays
    from marts.label_figures
    where
        dimension in ('artist', 'recording') and measure = 'n_plays' and cell is not null
        and ($label = '' or label_id = $label)
    group by label_id, dimension, cell, artist_id, to_day
    having not bool_and(is_late)
),

last_weeks as (
    select
        label_id,
        max(to_day) as to_day
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays'
    group by label_id
),

totals as (
    select
        weeks.label_id,
        weeks.dimension,
        weeks.cell,
        max(coalesce(weeks.artist_id, weeks.cell)) as artist_id,
        sum(weeks.n_plays)::bigint as n_plays,
        sum(case when weeks.to_day < last_weeks.to_day then weeks.n_plays else 0 end)::bigint as n_plays_before,
        max(last_weeks.to_day) as to_day
    from weeks
    inner join last_weeks on weeks.label_id = last_weeks.label_id
    group by weeks.label_id, weeks.dimension, weeks.cell
),

passed as (
    select
        *,
        pow(10, floor(log10(n_plays)))::bigint as milestone
    from totals
    where n_plays >= $least::bigint
),

artists as (
    select
        artist_id,
        max(artist_name) as name
    from marts.track_features
    group by artist_id
)

select
    passed.label_id,
    passed.dimension,
    passed.cell,
    coalesce(tracks.title, artists.name, passed.cell) as name,
    artists.name as artist_name,
    passed.milestone,
    passed.n_plays,
    passed.n_plays_before,
    passed.to_day
from passed
left join artists on passed.artist_id = artists.artist_id
left join marts.track_features as tracks on passed.dimension = 'recording' and passed.cell = tracks.track_id
where passed.n_plays_before < passed.milestone
order by passed.milestone desc, passed.n_plays desc, passed.cell asc
limit $n::integer
