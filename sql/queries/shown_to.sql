-- Listeners who are recommended an artist, by group or by kind of reason, most list positions first (see
-- marts.artist_shown).
-- params:
--   artist_id  artist id
--   dimension  country, gender, age_band or reason = reason
select
    value,
    n_listeners,
    n_places,
    share,
    affinity
from marts.artist_shown
where artist_id = $artist_id and dimension = $dimension
order by n_places desc, value asc
