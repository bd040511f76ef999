-- Audio embeddings: the newest vector per recording.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id  recording
--   audio_id  hash of the file's bytes, null where the vector was delivered without a file
--   encoder   encoder that computed the vector; only vectors of one encoder can be compared
--   vector    embedding
-- checks:
--   encoder is not null
-- reconcile:
--   (select count(*) from staging.audio_vectors) <= (select count(*) from (select distinct track_id from raw.audio_vectors_versions) as rows)
select
    audio_names.track_id,
    vectors.audio_id,
    vectors.encoder,
    vectors.vector
from raw.audio_vectors as vectors
inner join staging.audio_names as audio_names on vectors.track_id = audio_names.name
where audio_names.name_no = 1
