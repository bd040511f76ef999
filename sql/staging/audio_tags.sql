-- Words for the sound of each recording, by who gave them: the newest row.
-- grain: track_id, tagger, tag
-- rows: 0
-- columns:
--   track_id    recording
--   tagger      the model, or whoever else, that gave the tag
--   tag         the word
--   kind        genre, mood, instrument, vocal, era, other or unknown
--   confidence  how sure, 0..1; of a model, its output and no calibrated chance
-- checks:
--   confidence between 0 and 1
-- reconcile:
--   (select count(*) from staging.audio_tags) <= (select count(*) from (select distinct track_id, tagger, tag from raw.audio_tags) as rows)
with versions as (
    select
        track_id,
        tagger,
        tag,
        kind,
        confidence,
        row_number() over (partition by track_id, tagger, tag order by batch_no desc) as version_no
    from raw.audio_tags
)

select
    audio_names.track_id,
    versions.tagger,
    versions.tag,
    versions.kind,
    versions.confidence
from versions
inner join staging.audio_names as audio_names on versions.track_id = audio_names.name
where versions.version_no = 1
