-- A label's figures of one dimension by closed period and cell, with the late rows that were counted in a week of their
-- own. A measure is null where it was closed over other days, has too few listeners, or was withheld. Recordings are
-- parts of artists with a name: those of all other artists are among the others, so that cells add up to the total.
-- params:
--   dimension  day or week (the total), artist, recording, country, age_band or gender
--   measures   measures that are read, others are null
--   from       first day, the first of the ledger where empty
--   to         last day, the last of the ledger where empty
with lines as (
    select
        from_day,
        to_day,
        cell,
        measure,
        case when count(value) = count(*) then sum(value) end as value
    from marts.label_figures
    where
        (dimension = $dimension or ($dimension = 'recording' and dimension = 'artist' and cell is null))
        and list_contains($measures, measure)
        and ($from = '' or from_day >= cast(nullif($from, '') as date))
        and ($to = '' or to_day <= cast(nullif($to, '') as date))
    group by from_day, to_day, cell, measure
)

select
    from_day,
    to_day,
    cell,
    max(case when measure = 'n_listeners' then value end) as n_listeners,
    max(case when measure = 'n_plays' then value end) as n_plays,
    max(case when measure = 'n_skips' then value end) as n_skips,
    max(case when measure = 'n_likes' then value end) as n_likes,
    max(case when measure = 'n_saves' then value end) as n_saves,
    max(case when measure = 'n_playlist_adds' then value end) as n_playlist_adds,
    max(case when measure = 'ms_played' then value end) as ms_played
from lines
group by from_day, to_day, cell
