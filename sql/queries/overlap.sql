-- Whom an artist's listeners also hear, those first whom chance explains least (see marts.artist_overlap).
-- params:
--   artist_id  artist id
--   n          how many artists [count] = 20
select
    overlap.other_artist_id,
    artists.name,
    artists.main_genre,
    overlap.n_listeners,
    overlap.jaccard,
    overlap.affinity
from marts.artist_overlap as overlap
inner join marts.artist_profile as artists on overlap.other_artist_id = artists.artist_id
where overlap.artist_id = $artist_id
order by overlap.affinity desc, overlap.other_artist_id asc
limit $n::integer
