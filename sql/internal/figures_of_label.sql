-- The lines of a label's figures.
-- params:
--   label  label id
select
    label_id,
    measure,
    from_day,
    to_day,
    dimension,
    artist_id,
    cell,
    value,
    is_late,
    closing_no,
    closed_by_run
from marts.label_figures
where label_id = $label
order by from_day asc, to_day asc, dimension asc
