-- Recordings of each playlist, in playlist order.
select
    playlist_id,
    position,
    track_id
from marts.playlist_tracks
order by playlist_id asc, position asc
