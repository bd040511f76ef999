-- The credited artist of each recording.
select
    track_id,
    artist_id
from marts.track_features
