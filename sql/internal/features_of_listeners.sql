-- Listener features for recommenders.
select
    user_id,
    gender,
    age_band,
    country
from marts.listener_profile
