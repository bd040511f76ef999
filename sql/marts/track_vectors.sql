-- Audio embedding of each recording.
-- reason: vector indexes and recommenders read it; staging is dropped when the build ends
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
--   (select count(*) from marts.track_vectors) = (select count(*) from staging.audio_vectors)
select
    track_id,
    audio_id,
    encoder,
    vector
from staging.audio_vectors
