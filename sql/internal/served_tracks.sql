-- What lists state of a recording, and its length, which tells plays from skips.
select
    track_id,
    title,
    artist_id,
    artist_name,
    duration_ms
from marts.track_features
