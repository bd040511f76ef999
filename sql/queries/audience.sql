-- Listeners and plays of an artist by group over the last 28 days, as shares of the artist's listeners and plays, and
-- compared with all listeners (see marts.artist_audience). Unknown is a group, so the shares of a dimension add up to 1.
-- params:
--   artist_id  artist id
--   dimension  country, gender, age_band or main_genre, all where empty =
select
    dimension,
    value,
    n_listeners,
    share,
    n_plays,
    n_plays / sum(n_plays) over (partition by dimension) as play_share,
    affinity
from marts.artist_audience
where artist_id = $artist_id and ($dimension = '' or dimension = $dimension)
order by dimension asc, n_listeners desc, value asc
