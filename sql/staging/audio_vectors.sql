-- Where each recording stands among the others by its sound: the newest row.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id  recording
--   audio_id  hash of the file's bytes, null where somebody else analysed it
--   encoder   what made the vector; only vectors of one encoder compare
--   vector    place in the encoder's space
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
