-- Every label that has recordings, and its name.
select
    label_id,
    min(label_name) as name
from marts.track_features
where label_id is not null
group by label_id
order by label_id asc
