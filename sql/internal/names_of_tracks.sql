-- Title and artist of each recording.
select
    track_id,
    title,
    artist_name
from marts.track_features
