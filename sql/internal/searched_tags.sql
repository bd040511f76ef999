-- Tags of the sound that a search counts as heard, per recording. The taggers' confidences are not calibrated, and low for
-- some tags everywhere: a tag counts from 0.25 on, and also in the tenth of the recordings where it is most confident,
-- from 0.1 on.
with thresholds as (
    select
        tag,
        least(0.25, greatest(0.1, quantile_cont(confidence, 0.9))) as threshold
    from marts.track_tags
    group by tag
)

select
    tags.track_id,
    tags.tag,
    max(tags.confidence) as confidence
from marts.track_tags as tags
inner join thresholds on tags.tag = thresholds.tag
where tags.confidence >= thresholds.threshold
group by tags.track_id, tags.tag
order by tags.tag asc, tags.track_id asc
