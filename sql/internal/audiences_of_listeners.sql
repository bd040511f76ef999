-- The groups of listeners by which labels see their audience.
select
    user_id,
    country,
    age_band,
    gender
from marts.listener_profile
order by user_id asc
