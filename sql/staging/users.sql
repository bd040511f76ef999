-- What listeners told of themselves: the newest row of each.
-- grain: user_id
-- rows: 0
-- columns:
--   user_id       listener (pseudonymous id)
--   gender        female, male, nonbinary or unknown
--   age_band      age band or unknown
--   country       ISO 3166-1 alpha-2, null where unknown
--   signed_up_at  day of joining, null where unknown
-- checks:
--   gender in ('female', 'male', 'nonbinary', 'unknown')
-- reconcile:
--   (select count(*) from staging.users) = (select count(distinct user_id) from raw.users)
with versions as (
    select
        user_id,
        gender,
        age_band,
        country,
        signed_up_at,
        row_number() over (partition by user_id order by batch_no desc) as version_no
    from raw.users
)

select
    user_id,
    gender,
    age_band,
    country,
    signed_up_at
from versions
where version_no = 1
