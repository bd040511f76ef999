-- Tags of each recording: genre, mood, instruments and voices, per tagger. Taggers such as own-genre were trained on the
-- user's labels (recsys tags train); only their tags whose calibration holds are here.
-- reason: analysts and labels' files read it; staging is dropped when the build ends
-- grain: track_id, tagger, tag
-- rows: 0
-- labels: track_id
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
--   (select count(*) from marts.track_tags) = (select count(*) from staging.audio_tags)
select
    track_id,
    tagger,
    tag,
    kind,
    confidence,
    probability
from staging.audio_tags
