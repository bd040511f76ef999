-- Listeners of an artist by group, compared with all listeners (see marts.artist_audience).
-- params:
--   artist_id  artist id
--   dimension  country, gender, age_band or main_genre, all where empty =
select
    dimension,
    value,
    n_listeners,
    n_plays,
    share,
    affinity
from marts.artist_audience
where artist_id = $artist_id and ($dimension = '' or dimension = $dimension)
order by dimension asc, n_listeners desc, value asc
