-- A label's figures by closed period: its total, or one artist, recording or group. A period is a week, or for the
-- total a day; periods with few listeners are longer, so that plays are also given per day, as an average. Where the
-- figures of a period are null, it had too few listeners there (their plays are in the others), or it was
-- withheld; measures that were closed over other days are null as well. Late rows that were counted for a week later
-- are included.
-- params:
--   label      label id, every label where empty =
--   dimension  week or day for the total; artist, recording, country, age_band, gender, source or loyalty = week
--   cell       artist, recording or group; the total, or all others, where empty =
with periods as (
    select
        label_id,
        from_day,
        to_day,
        is_withheld
    from marts.label_figures
    where
        ($label = '' or label_id = $label)
        and measure = 'n_plays'
        and dimension = case when $dimension = 'day' then 'day' else 'week' end
        and not is_late
),

figures as (
    select
        label_id,
        from_day,
        to_day,
        measure,
        sum(value) as value
    from marts.label_figures
    where dimension = $dimension and coalesce(cell, '') = $cell and ($label = '' or label_id = $label)
    group by label_id, from_day, to_day, measure
    having not bool_and(is_late)
),

by_period as (
    select
        periods.label_id,
        periods.from_day,
        periods.to_day,
        periods.is_withheld,
        (periods.to_day - periods.from_day + 1)::integer as n_days,
        max(case when figures.measure = 'n_listeners' then figures.value end)::bigint as n_listeners,
        max(case when figures.measure = 'n_plays' then figures.value end)::bigint as n_plays,
        max(case when figures.measure = 'n_skips' then figures.value end)::bigint as n_skips,
        max(case when figures.measure = 'n_saves' then figures.value end)::bigint as n_saves,
        max(case when figures.measure = 'n_likes' then figures.value end)::bigint as n_likes,
        max(case when figures.measure = 'n_playlist_adds' then figures.value end)::bigint as n_playlist_adds,
        max(case when figures.measure = 'ms_played' then figures.value end) / 3600000 as hours_played
    from periods
    left join figures
        on periods.label_id = figures.label_id and periods.from_day = figures.from_day and periods.to_day = figures.to_day
    where periods.label_id in (select found.label_id from figures as found)
    group by periods.label_id, periods.from_day, periods.to_day, periods.is_withheld
)

select
    label_id,
    from_day,
    to_day,
    n_days,
    n_listeners,
    n_plays,
    n_skips,
    n_saves,
    n_likes,
    n_playlist_adds,
    hours_played,
    n_plays / n_days as plays_a_day,
    n_plays / nullif(n_listeners, 0) as streams_per_listener,
    n_skips / nullif(n_plays + n_skips, 0) as skip_share,
    is_withheld
from by_period
order by label_id asc, to_day asc
