-- One listener: what is known of them, and how much they play.
-- params:
--   user_id  listener (pseudonymous id; recsys find knows them)
select
    user_id,
    country,
    age_band,
    gender,
    n_tracks,
    n_plays
from marts.listener_profile
where user_id = $user_id
