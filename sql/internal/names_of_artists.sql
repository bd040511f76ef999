-- Name of each artist.
select
    artist_id,
    name as artist_name
from marts.artist_profile
