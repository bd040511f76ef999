-- Plays of watched artists and recordings in each closed week of a label's file, oldest first; null where the ledger has
-- no figure: too few listeners, or withheld. Late rows that were counted for a week later are included. What has no figure
-- in any week has no rows.
-- params:
--   artists     artist ids, a list
--   recordings  track ids, a list
with weeks as (
    select
        from_day,
        to_day
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and not is_late
),

figures as (
    select
        dimension as kind,
        cell as id,
        to_day,
        case when count(value) = count(*) then sum(value)::bigint end as n_plays
    from marts.label_figures
    where
        measure = 'n_plays'
        and (
            (dimension = 'artist' and list_contains(cast($artists as varchar[]), cell))
            or (dimension = 'recording' and list_contains(cast($recordings as varchar[]), cell))
        )
    group by dimension, cell, to_day
    having count(case when not is_late then 1 end) > 0
),

items as (
    select distinct
        kind,
        id
    from figures
)

select
    items.kind,
    items.id,
    weeks.from_day,
    weeks.to_day,
    figures.n_plays
from items
cross join weeks
left join figures on items.kind = figures.kind and items.id = figures.id and weeks.to_day = figures.to_day
order by items.kind asc, items.id asc, weeks.to_day asc
