-- Recordings of a label that were released in the last days, newest first, with their plays in the last closed week: null
-- where the recording had too few listeners, or the week was withheld.
-- params:
--   label  label id, every label where empty =
--   days   days back from the last day of the log [d] = 28
--   n      recordings at most [count] = 10
with last_weeks as (
    select
        label_id,
        max(to_day) as to_day
    from marts.label_figures
    where measure = 'n_plays' and dimension = 'week'
    group by label_id
),

plays as (
    select
        figures.cell as track_id,
        sum(figures.value)::bigint as n_plays
    from last_weeks
    inner join marts.label_figures as figures on last_weeks.label_id = figures.label_id and last_weeks.to_day = figures.to_day
    where figures.dimension = 'recording' and figures.measure = 'n_plays' and figures.cell is not null
    group by figures.cell
    having not bool_and(figures.is_late)
)

select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.genre,
    tracks.release_date,
    plays.n_plays
from marts.track_features as tracks
cross join meta.build as build
left join plays on tracks.track_id = plays.track_id
where
    tracks.release_date between build.as_of - $days::integer + 1 and build.as_of
    and ($label = '' or tracks.label_id = $label)
order by tracks.release_date desc, plays.n_plays desc nulls last, tracks.track_id asc
limit $n::integer
