-- Tags of the sound that a search counts as heard, per recording. The confidences of the pretrained taggers are not
-- calibrated, and low for some tags everywhere: their tags count from 0.25 on, and also in the tenth of the recordings
-- where the tagger is most confident, from 0.1 on. Learned tags (own-genre and the like) have a calibrated probability and
-- count from 0.5 on.
with thresholds as (
    select
        tagger,
        tag,
        case
            when tagger like 'own-%' then 0.5
            else least(0.25, greatest(0.1, quantile_cont(confidence, 0.9)))
        end as threshold
    from marts.track_tags
    group by tagger, tag
)

select
    tags.track_id,
    tags.tag,
    max(tags.confidence) as confidence
from marts.track_tags as tags
inner join thresholds on tags.tagger = thresholds.tagger and tags.tag = thresholds.tag
where tags.confidence >= thresholds.threshold
group by tags.track_id, tags.tag
order by tags.tag asc, tags.track_id asc
