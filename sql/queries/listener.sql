-- Demographics and totals of one listener.
-- params:
--   user_id  listener (pseudonymous id, as found by recsys find)
select
    user_id,
    country,
    age_band,
    gender,
    n_tracks,
    n_plays
from marts.listener_profile
where user_id = $user_id
