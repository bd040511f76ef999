-- Artist and label of each recording, null where unknown.
select
    track_id,
    artist_id,
    label_id
from marts.track_features
order by track_id asc
