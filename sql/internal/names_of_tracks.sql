-- Title and artist of every recording.
select
    track_id,
    title,
    artist_name
from marts.track_features
