-- Tags of a recording with calibrated probabilities, the most probable first.
-- params:
--   track_id  recording
--   n         tags at most [count] = 10
select
    tag,
    kind,
    probability
from marts.track_tags
where track_id = $track_id and probability is not null
order by probability desc, kind asc, tag asc
limit $n::integer
