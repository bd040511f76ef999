-- What may be shown at all. A stub cannot be shown to anybody; where no catalogue was ever delivered, everything is a
-- stub and may be.
-- params:
--   served_on  day on which the lists are shown
with counted as (select count(*) filter (where is_known) as n_known from marts.track_features),

released as (
    select
        track_id,
        title,
        artist_id,
        artist_name,
        release_date,
        available_in,
        withdrawn_at,
        tempo_bpm,
        energy,
        is_known
    from marts.track_features
    where release_date is null or release_date <= $served_on
)

select
    released.track_id,
    released.title,
    released.artist_id,
    released.artist_name,
    released.release_date,
    released.available_in,
    released.withdrawn_at,
    released.tempo_bpm,
    released.energy
from released
cross join counted
where released.is_known or counted.n_known = 0
