-- Tags for the sound of each recording: the newest row per recording, tagger and tag. Where a tagger names a recording
-- in two ways, its tags under the track id count, otherwise those under the first name.
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
--   (select count(*) from staging.audio_tags) <= (select count(*) from (select distinct track_id, tagger, tag from raw.audio_tags_versions) as rows)
with named as (
    select
        audio_names.track_id,
        tags.tagger,
        tags.tag,
        tags.kind,
        tags.confidence,
        tags.probability,
        dense_rank() over (
            partition by audio_names.track_id, tags.tagger
            order by case when audio_names.name = audio_names.track_id then 0 else 1 end, audio_names.name
        ) as name_no
    from raw.audio_tags as tags
    inner join staging.audio_names as audio_names on tags.track_id = audio_names.name
)

select
    track_id,
    tagger,
    tag,
    kind,
    confidence,
    probability
from named
where name_no = 1
