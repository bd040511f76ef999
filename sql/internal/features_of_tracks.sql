-- Recording features for recommenders.
select
    track_id,
    genres as genre,
    artist_id as artist,
    label_id as label,
    language,
    cast(decade as varchar) as decade
from marts.track_features
