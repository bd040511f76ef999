-- What the index of sounds is made of: each recording's vector and its encoder, those taken down left out.
select
    vectors.track_id,
    vectors.encoder,
    vectors.vector
from marts.track_vectors as vectors
inner join marts.track_features as features on vectors.track_id = features.track_id
where features.taken_down_at is null
order by vectors.track_id asc
