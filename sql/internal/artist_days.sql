-- Daily plays of each artist.
select
    artist_id,
    listen_date,
    n_plays
from marts.artist_daily
