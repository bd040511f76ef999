-- The positions of a label's recordings on the published lists, with the run that made them.
-- params:
--   label  label id
with labelled as (
    select
        label_id,
        track_id
    from marts.track_features
    where label_id = $label
)

select
    lists.run_id,
    lists.user_id,
    lists.track_id,
    lists.rank,
    labelled.label_id
from marts.recommendations as lists
inner join labelled on lists.track_id = labelled.track_id
order by lists.user_id asc, lists.rank asc
