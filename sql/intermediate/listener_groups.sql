-- Groups of each listener by what the users file says: country, gender and age band. Unknown is a group.
-- grain: user_id, dimension
-- columns:
--   user_id    listener (pseudonymous id)
--   dimension  country, gender or age_band
--   value      the group
-- checks:
--   value is not null
-- reconcile:
--   (select count(*) from intermediate.listener_groups) = 3 * (select count(*) from marts.listener_profile)
select
    user_id,
    'country' as dimension,
    country as value
from marts.listener_profile
union all
select
    user_id,
    'gender' as dimension,
    gender as value
from marts.listener_profile
union all
select
    user_id,
    'age_band' as dimension,
    age_band as value
from marts.listener_profile
