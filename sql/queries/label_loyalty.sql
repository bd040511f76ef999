-- Listeners of a label in each closed week, by what they had played of it before: new (nothing), returning (something in
-- the four weeks before), back (something, but longer ago), or unknown (nothing, but the log began less than eight weeks
-- before). A group with too few listeners is in all others. Late rows are not counted. Weeks that were withheld have no
-- figures, and weeks that were closed before this was counted no rows.
-- params:
--   label  label id, every label where empty =
select
    label_id,
    from_day,
    to_day,
    cell,
    coalesce(cell, 'all others') as name,
    value as n_listeners,
    value / sum(value) over (partition by label_id, to_day) as share,
    is_withheld
from marts.label_figures
where dimension = 'loyalty' and measure = 'n_listeners' and not is_late and ($label = '' or label_id = $label)
order by label_id asc, to_day asc, cell asc nulls last
