-- Listeners, and by what lists are filtered and fall back.
select
    user_id,
    country,
    age_band
from marts.listener_profile
order by user_id asc
