-- How much the lists of recommendations showed a label, by closed week: the lists were those of the run that closed the
-- week. The exposure of a list position is 1 / log2(1 + rank). Weeks in which too few listeners were shown the label, or
-- that were closed together with a later one, have no row.
-- params:
--   label  label id, every label where empty =
select
    label_id,
    from_day,
    to_day,
    max(closed_on) as shown_on,
    max(case when measure = 'n_shown' then value end) as n_shown,
    max(case when measure = 'exposure' then value end) as exposure,
    max(case when measure = 'exposure' then value end) / max(case when measure = 'n_shown' then value end) as exposure_per_listener
from marts.label_figures
where dimension = 'shown' and not is_withheld and ($label = '' or label_id = $label)
group by label_id, from_day, to_day
order by label_id asc, to_day asc
