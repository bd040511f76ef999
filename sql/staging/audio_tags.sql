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
--   (select count(*) from staging.audio_tags) <= (select count(*) from (select distinct track_id, tagger, tag from raw.audio_tags_versions) as rows)
select
    audio_names.track_id,
    tags.tagger,
    tags.tag,
    tags.kind,
    tags.confidence
from raw.audio_tags as tags
inner join staging.audio_names as audio_names on tags.track_id = audio_names.name
