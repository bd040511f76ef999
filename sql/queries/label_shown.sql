-- How much the lists of recommendations showed a label, by closed week: the lists were those of the run that closed the
-- week. The exposure of a list position is 1 / log2(1 + rank). Weeks in which too few listeners were shown the label, or
-- that were closed together with a later one, have no row. Beside it, the listeners who played the label in the week.
-- params:
--   label  label id, every label where empty =
with listeners as (
    select
        label_id,
        to_day,
        value as n_listeners
    from marts.label_figures
    where dimension = 'week' and measure = 'n_listeners' and not is_late and not is_withheld
),

shown as (
    select
        label_id,
        from_day,
        to_day,
        max(closed_on) as shown_on,
        max(case when measure = 'n_shown' then value end) as n_shown,
        max(case when measure = 'exposure' then value end) as exposure
    from marts.label_figures
    where dimension = 'shown' and not is_withheld and ($label = '' or label_id = $label)
    group by label_id, from_day, to_day
)

select
    shown.label_id,
    shown.from_day,
    shown.to_day,
    shown.shown_on,
    shown.n_shown,
    shown.exposure,
    shown.exposure / shown.n_shown as exposure_per_listener,
    listeners.n_listeners
from shown
left join listeners on shown.label_id = listeners.label_id and shown.to_day = listeners.to_day
order by shown.label_id asc, shown.to_day asc
