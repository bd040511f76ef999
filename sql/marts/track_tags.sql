-- Words for the sound of each recording: genre, mood, instruments and voices, as a tagger hears them.
-- reason: analysts and labels' files read it; staging is dropped when the build ends
-- grain: track_id, tagger, tag
-- rows: 0
-- labels: track_id
-- columns:
--   track_id    recording
--   tagger      the model, or whoever else, that gave the tag
--   tag         the word
--   kind        genre, mood, instrument, vocal, era, other or unknown
--   confidence  how sure, 0..1; of a model, its output and no calibrated chance
-- checks:
--   confidence between 0 and 1
-- reconcile:
--   (select count(*) from marts.track_tags) = (select count(*) from staging.audio_tags)
select
    track_id,
    tagger,
    tag,
    kind,
    confidence
from staging.audio_tags
