-- Tags that may name clusters of recordings: the highest confidence per recording and tag, of all taggers but the clusters
-- themselves.
select
    track_id,
    tag,
    max(confidence) as confidence
from marts.track_tags
where tagger <> 'clusters'
group by track_id, tag
order by track_id asc, tag asc
