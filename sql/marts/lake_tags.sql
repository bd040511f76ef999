-- Tags of each recording that entered the lake: by the scan, in delivered files, or by a training of tags.
-- reason: marts.track_tags reads it after the build, when staging is gone
-- grain: track_id, tagger, tag
-- rows: 0
-- columns:
--   track_id     recording
--   tagger       model or other source of the tag
--   tag          tag
--   kind         genre, mood, instrument, vocal, era, other or unknown
--   confidence   confidence of the tagger, 0..1; a model's output, calibrated only where there is a probability
--   probability  calibrated probability that the recording has the tag, 0..1; null where the tagger is not calibrated
-- checks:
--   confidence between 0 and 1
--   probability is null or probability between 0 and 1
-- reconcile:
--   (select count(*) from marts.lake_tags) = (select count(*) from staging.audio_tags)
select
    track_id,
    tagger,
    tag,
    kind,
    confidence,
    probability
from staging.audio_tags
