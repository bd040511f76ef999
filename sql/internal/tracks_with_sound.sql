-- Recordings with an audio embedding.
select track_id
from marts.track_vectors
order by track_id asc
