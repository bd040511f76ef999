-- Tags for the sound of each recording: the newest row per recording, tagger and tag.
-- grain: track_id, tagger, tag
-- rows: 0
-- columns:
--   track_id    recording
--   tagger      model or other source of the tag
--   tag         tag
--   kind        genre, mood, instrument, vocal, era, other or unknown
--   confidence  confidence of the tagger, 0..1; a model's output, not a calibrated probability
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
