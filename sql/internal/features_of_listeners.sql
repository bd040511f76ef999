-- What recommenders know of each listener.
select
    user_id,
    gender,
    age_band,
    country
from marts.listener_profile
