-- Tags of each recording: genre, mood, instruments and voices, per tagger. Taggers such as own-genre were trained on the
-- user's labels (recsys tags train); only their tags whose calibration holds are here. Recordings that joined the catalogue
-- after a training have those of the last nightly run, which learns from the same labels.
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
--   (select count(*) from marts.track_tags) <= (select count(*) from marts.lake_tags) + (select count(*) from raw.track_tags)
with trained as (
    select distinct
        track_id,
        tagger
    from marts.lake_tags
)

select
    track_id,
    tagger,
    tag,
    kind,
    confidence,
    probability
from marts.lake_tags
union all
select
    tags.track_id,
    tags.tagger,
    tags.tag,
    tags.kind,
    tags.confidence,
    tags.probability
from raw.track_tags as tags
inner join marts.track_features as tracks on tags.track_id = tracks.track_id
left join trained on tags.track_id = trained.track_id and tags.tagger = trained.tagger
where trained.track_id is null
