-- Listeners with the attributes that list filters and fallbacks use.
select
    user_id,
    country,
    age_band
from marts.listener_profile
order by user_id asc
