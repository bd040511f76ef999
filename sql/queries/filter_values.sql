-- Values to filter the catalogue by: labels and genres, with their number of recordings.
select
    'label' as kind,
    label_id as value,
    coalesce(label_name, label_id) as name,
    count(*) as n_tracks
from marts.track_features
where label_id is not null
group by label_id, coalesce(label_name, label_id)
union all
select
    'genre' as kind,
    genre as value,
    genre as name,
    count(*) as n_tracks
from marts.track_features
group by genre
order by kind asc, name asc, value asc
