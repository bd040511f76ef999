-- Plays of each artist by day.
select
    artist_id,
    listen_date,
    n_plays
from marts.artist_daily
