-- Vectors of the sections of lyrics, of recordings of the catalogue that are not taken down.
select
    vectors.track_id,
    vectors.section,
    vectors.encoder,
    vectors.vector
from marts.lyric_vectors as vectors
inner join marts.track_features as features on vectors.track_id = features.track_id
where features.taken_down_at is null
order by vectors.track_id asc, vectors.section asc
