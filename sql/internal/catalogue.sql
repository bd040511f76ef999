-- Recordings that may be recommended: released and described by the catalogue. If no catalogue was ever delivered,
-- every recording is a stub, and all may be.
-- params:
--   served_on  day on which the lists are shown
with totals as (select count(*) filter (where is_known) as n_known from marts.track_features),

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
cross join totals
where released.is_known or totals.n_known = 0
