-- Words for the sound of a recording, the surest first.
-- params:
--   track_id  recording
--   n         how many words [count] = 10
select
    tag,
    kind,
    max(confidence) as confidence
from marts.track_tags
where track_id = $track_id
group by tag, kind
order by confidence desc, tag asc
limit $n::integer
