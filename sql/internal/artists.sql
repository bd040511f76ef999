-- Id and name of each artist.
select
    artist_id,
    name
from marts.artist_profile
order by artist_id asc
