-- Tags of a recording without a probability, highest confidence first.
-- params:
--   track_id  recording
--   n         tags at most [count] = 10
select
    tag,
    kind,
    max(confidence) as confidence
from marts.track_tags
where track_id = $track_id and probability is null
group by tag, kind
order by confidence desc, tag asc
limit $n::integer
