-- Recordings that have a vector of what they sound like.
select track_id
from marts.track_vectors
order by track_id asc
