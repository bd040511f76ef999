-- A label's recordings that have a figure in its last closed week, with that of the closed week before, largest change
-- first; no change is given where that week has no figure (too few listeners) or covers another number of days. Late rows
-- that were counted for a week later are included.
-- params:
--   label  label id, every label where empty =
--   n      recordings at most [count] = 100
with weeks as (
    select
        label_id,
        to_day,
        to_day - from_day as length,
        row_number() over (partition by label_id order by to_day desc) as week_no
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and not is_late and ($label = '' or label_id = $label)
),

figures as (
    select
        cells.label_id,
        cells.artist_id,
        cells.cell,
        weeks.week_no,
        weeks.length,
        case when count(cells.value) = count(*) then sum(cells.value)::bigint end as n_plays
    from marts.label_figures as cells
    inner join weeks on cells.label_id = weeks.label_id and cells.to_day = weeks.to_day
    where
        cells.measure = 'n_plays' and cells.dimension = 'recording' and cells.cell is not null
        and weeks.week_no <= 2
    group by cells.label_id, cells.artist_id, cells.cell, weeks.week_no, weeks.length
    having not bool_and(cells.is_late)
)

select
    figures.label_id,
    figures.cell,
    coalesce(tracks.title, figures.cell) as name,
    figures.artist_id,
    tracks.artist_name,
    figures.n_plays,
    before.n_plays as n_plays_before,
    figures.n_plays - before.n_plays as difference,
    figures.n_plays / before.n_plays - 1 as change
from figures
left join figures as before
    on
        figures.label_id = before.label_id and figures.cell = before.cell and before.week_no = 2
        and figures.length = before.length
left join marts.track_features as tracks on figures.cell = tracks.track_id
where figures.week_no = 1
order by difference is null asc, abs(figures.n_plays - before.n_plays) desc, figures.n_plays desc, figures.cell asc
limit $n::integer
