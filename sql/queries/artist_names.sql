-- Every artist with a name, most played first.
select
    artist_id,
    name,
    main_genre,
    country
from marts.artist_profile
where name is not null
order by n_plays desc nulls last, artist_id asc
