-- Tags of the sound that a search counts as heard, per recording. Where a tagger with calibrated probabilities (own-genre
-- and the like, rendered-instruments) states a tag of a recording, it counts from 0.5 on, and no other tagger counts for
-- this tag and recording. The confidences of the pretrained taggers are not calibrated, and low for some tags everywhere:
-- their tags count from 0.25 on, and also in the tenth of the recordings where the tagger is most confident, from 0.1 on.
-- Names of clusters (recsys tags clusters) are no words to search for.
with known as (
    select distinct
        track_id,
        tag
    from marts.track_tags
    where probability is not null
),

thresholds as (
    select
        tagger,
        tag,
        case
            when max(probability) is not null then 0.5
            else least(0.25, greatest(0.1, quantile_cont(confidence, 0.9)))
        end as threshold
    from marts.track_tags
    where tagger <> 'clusters'
    group by tagger, tag
)

select
    tags.track_id,
    tags.tag,
    max(tags.confidence) as confidence
from marts.track_tags as tags
inner join thresholds on tags.tagger = thresholds.tagger and tags.tag = thresholds.tag
left join known on tags.track_id = known.track_id and tags.tag = known.tag
where
    tags.confidence >= thresholds.threshold
    and (tags.probability is not null or known.track_id is null)
group by tags.track_id, tags.tag
order by tags.tag asc, tags.track_id asc
