-- Listeners as the users file describes them: the newest row per listener.
-- grain: user_id
-- rows: 0
-- columns:
--   user_id       listener (pseudonymous id)
--   gender        female, male, nonbinary or unknown
--   age_band      age band or unknown
--   country       ISO 3166-1 alpha-2, null where unknown
--   signed_up_at  sign-up day, null where unknown
-- checks:
--   gender in ('female', 'male', 'nonbinary', 'unknown')
-- reconcile:
--   (select count(*) from staging.users) = (select count(distinct user_id) from raw.users_versions)
select
    user_id,
    gender,
    age_band,
    country,
    signed_up_at
from raw.users
