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
--   (select count(*) from staging.audio_vectors) <= (select count(*) from (select distinct track_id from raw.audio_vectors) as rows)
with versions as (
    select
        track_id,
        audio_id,
        encoder,
        vector,
        row_number() over (partition by track_id order by batch_no desc) as version_no
    from raw.audio_vectors
)

select
    audio_names.track_id,
    versions.audio_id,
    versions.encoder,
    versions.vector
from versions
inner join staging.audio_names as audio_names on versions.track_id = audio_names.name
where versions.version_no = 1
