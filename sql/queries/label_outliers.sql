-- Recordings or artists of a label whose last closed week is far above, or far below, their weeks before. z is the
-- distance of ln(plays per day) from its median in up to eight earlier weeks, in units of the greater of 1.4826 x the
-- median absolute deviation and the counting noise, which is estimated by the artist's plays per listener. At least four
-- of the earlier weeks have a figure; weeks with too few listeners have none and are left out, also the last one.
-- A rise is at least twice the expected plays.
-- params:
--   label      label id, every label where empty =
--   dimension  recording or artist = recording
--   direction  rise or drop = rise
--   z          least distance from the median [standard deviations] = 4
--   floor      listeners that the artist's median week needs [count] = 0
--   n          rows at most [count] = 100
with last_weeks as (
    select
        label_id,
        max(to_day) as to_day
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and ($label = '' or label_id = $label)
    group by label_id
),

weeks as (
    select
        figures.label_id,
        coalesce(figures.artist_id, figures.cell) as artist_id,
        figures.cell,
        figures.from_day,
        figures.to_day,
        last_weeks.to_day as last_day,
        sum(figures.value)::bigint as n_plays,
        (figures.to_day - figures.from_day + 1)::integer as n_days,
        ln(sum(figures.value) / (figures.to_day - figures.from_day + 1)::integer) as level
    from marts.label_figures as figures
    inner join last_weeks
        on figures.label_id = last_weeks.label_id and figures.to_day between last_weeks.to_day - 56 and last_weeks.to_day
    where figures.dimension = $dimension and figures.measure = 'n_plays' and figures.cell is not null
    group by figures.label_id, figures.artist_id, figures.cell, figures.from_day, figures.to_day, last_weeks.to_day
    having not bool_and(figures.is_late) and count(figures.value) > 0
),

artist_weeks as (
    select
        label_id,
        cell as artist_id,
        to_day,
        max(case when measure = 'n_listeners' then value end) as n_listeners,
        max(case when measure = 'n_plays' then value end) / max(case when measure = 'n_listeners' then value end) as plays_per_listener
    from marts.label_figures
    where dimension = 'artist' and cell is not null and not is_late
    group by label_id, cell, to_day
),

history as (
    select
        weeks.label_id,
        weeks.cell,
        weeks.level,
        weeks.n_plays,
        artist_weeks.n_listeners,
        artist_weeks.plays_per_listener,
        median(weeks.level) over (partition by weeks.label_id, weeks.cell) as usual
    from weeks
    inner join artist_weeks
        on
            weeks.label_id = artist_weeks.label_id and weeks.artist_id = artist_weeks.artist_id
            and weeks.to_day = artist_weeks.to_day
    where weeks.to_day < weeks.last_day
),

artists as (
    select
        artist_id,
        max(artist_name) as name
    from marts.track_features
    group by artist_id
),

expected as (
    select
        label_id,
        cell,
        max(usual) as usual,
        greatest(1.4826 * median(abs(level - usual)), sqrt(median(plays_per_listener) / median(n_plays))) as error
    from history
    group by label_id, cell
    having count(*) >= 4 and median(n_listeners) >= $floor::double
)

select
    weeks.label_id,
    weeks.artist_id,
    weeks.cell,
    coalesce(tracks.title, artists.name, weeks.cell) as name,
    artists.name as artist_name,
    weeks.from_day,
    weeks.to_day,
    weeks.n_plays,
    round(exp(expected.usual) * weeks.n_days, 1) as n_expected,
    round((weeks.level - expected.usual) / expected.error, 2) as z
from weeks
inner join expected on weeks.label_id = expected.label_id and weeks.cell = expected.cell
left join artists on weeks.artist_id = artists.artist_id
left join marts.track_features as tracks on $dimension = 'recording' and weeks.cell = tracks.track_id
where
    weeks.to_day = weeks.last_day
    and case
        when $direction = 'drop' then expected.usual - weeks.level >= $z::double * expected.error
        else weeks.level - expected.usual >= greatest($z::double * expected.error, ln(2))
    end
order by abs(weeks.level - expected.usual) / expected.error desc, weeks.cell asc
limit $n::integer
