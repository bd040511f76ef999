-- Every label that has recordings or figures, and its name.
with labels as (
    select
        label_id,
        label_name
    from marts.track_features
    where label_id is not null
    union all
    select
        label_id,
        null as label_name
    from marts.label_figures
)

select
    label_id,
    min(label_name) as name
from labels
group by label_id
order by label_id asc
