-- A label's totals of all closed periods: its days, and all late rows that were counted later. Periods that were withheld
-- are left out; n_withheld counts their lines.
-- params:
--   label  label id, every label where empty =
select
    label_id,
    measure,
    min(from_day) as first_date,
    max(to_day) as last_date,
    sum(value)::bigint as value,
    count_if(is_withheld)::bigint as n_withheld
from marts.label_figures
where
    measure <> 'n_listeners'
    and (dimension in ('day', 'late') or (dimension = 'week' and is_late))
    and ($label = '' or label_id = $label)
group by label_id, measure
order by label_id asc, measure asc
