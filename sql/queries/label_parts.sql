-- The parts of a label's plays in its last closed weeks: artists, an artist's recordings, countries, ages, genders,
-- sources or loyalty (see label_loyalty), compared with as many weeks before. A part stands alone if it has a figure in
-- each of the weeks; all other plays are one row, all others, so that the parts add up to the total (with the late rows
-- that were counted for these weeks later); listeners are those of the last week. No change is given where a part had no
-- figure in one of the weeks before (too few listeners), or where these cover another number of days.
-- params:
--   label      label id, every label where empty =
--   dimension  artist, recording, country, age_band, gender, source or loyalty = artist
--   artist_id  of dimension recording, the artist; otherwise empty =
--   weeks      closed weeks in each period [weeks] = 4
with weeks as (
    select
        label_id,
        from_day,
        to_day,
        row_number() over (partition by label_id order by to_day desc) as week_no
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and not is_late and ($label = '' or label_id = $label)
),

-- a cell that only late rows of a week name has no figure of its own in that week
cells as (
    select
        figures.label_id,
        weeks.week_no <= $weeks::integer as is_now,
        weeks.to_day,
        weeks.from_day,
        figures.value as n_plays,
        case when not bool_and(figures.is_late) over same_cell then figures.cell end as cell
    from marts.label_figures as figures
    inner join weeks on figures.label_id = weeks.label_id and figures.to_day = weeks.to_day
    where
        figures.measure = 'n_plays' and figures.dimension = $dimension
        and coalesce(figures.artist_id, '') = $artist_id
        and weeks.week_no <= 2 * $weeks::integer
    window same_cell as (partition by figures.label_id, figures.to_day, figures.cell)
),

periods as (
    select
        label_id,
        is_now,
        min(from_day) as first_date,
        max(to_day) as last_date
    from cells
    group by label_id, is_now
    having count(distinct to_day) = $weeks::integer
),

named as (
    select
        label_id,
        is_now,
        cell,
        case when count(n_plays) = count(*) then sum(n_plays) end as n_plays
    from cells
    where cell is not null
    group by label_id, is_now, cell
    having count(distinct to_day) = $weeks::integer
),

parts as (
    select
        cells.label_id,
        named.cell,
        case when count(cells.n_plays) = count(*) then sum(cells.n_plays)::bigint end as n_plays
    from cells
    left join named on cells.label_id = named.label_id and cells.cell = named.cell and named.is_now
    where cells.is_now
    group by cells.label_id, named.cell
)

select
    parts.label_id,
    parts.cell,
    case
        when parts.cell is null then 'all others'
        when $dimension = 'artist'
            then coalesce(
                (
                    select max(own.artist_name)
                    from marts.track_features as own
                    where own.artist_id = parts.cell
                ),
                parts.cell
            )
        else coalesce(tracks.title, parts.cell)
    end as name,
    parts.n_plays,
    parts.n_plays / sum(parts.n_plays) over (partition by parts.label_id) as share,
    listeners.value as n_listeners,
    named.n_plays::bigint as n_plays_before,
    (parts.n_plays - named.n_plays)::bigint as difference,
    parts.n_plays / named.n_plays - 1 as change,
    periods.first_date,
    periods.last_date
from parts
inner join periods on parts.label_id = periods.label_id and periods.is_now
left join periods as before
    on
        parts.label_id = before.label_id and not before.is_now
        and before.last_date - before.first_date = periods.last_date - periods.first_date
left join named on before.label_id = named.label_id and parts.cell = named.cell and not named.is_now
left join marts.label_figures as listeners
    on
        parts.label_id = listeners.label_id and periods.last_date = listeners.to_day
        and $dimension = listeners.dimension and parts.cell = listeners.cell and listeners.measure = 'n_listeners'
left join marts.track_features as tracks on $dimension = 'recording' and parts.cell = tracks.track_id
order by parts.label_id asc, parts.cell is null asc, parts.n_plays desc, parts.cell asc
