-- Audio embeddings to index, takedowns left out.
select
    vectors.track_id,
    vectors.encoder,
    vectors.vector
from marts.track_vectors as vectors
inner join marts.track_features as features on vectors.track_id = features.track_id
where features.taken_down_at is null
order by vectors.track_id asc
