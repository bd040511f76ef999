-- Names of the artists.
select
    artist_id,
    name
from marts.artist_profile
order by artist_id asc
