-- Artists that an artist's listeners also play, highest affinity first, by id among equals (see
-- marts.artist_overlap).
-- params:
--   artist_id  artist id
--   n          artists at most [count] = 20
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
order by round(overlap.affinity, 9) desc, overlap.other_artist_id asc
limit $n::integer
