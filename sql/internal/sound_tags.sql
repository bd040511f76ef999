-- Tags of the sound, the confidence from which a search counts them as heard, and the number of recordings above it. The
-- taggers' confidences are not calibrated, and low for some tags everywhere: a tag also counts in the tenth of the
-- recordings where it is most confident, from 0.1 on.
with thresholds as (
    select
        tag,
        least(0.25, greatest(0.1, quantile_cont(confidence, 0.9))) as threshold
    from marts.track_tags
    group by tag
)

select
    tags.tag,
    thresholds.threshold,
    count(*) as n_tracks
from marts.track_tags as tags
inner join thresholds on tags.tag = thresholds.tag
where tags.confidence >= thresholds.threshold
group by tags.tag, thresholds.threshold
