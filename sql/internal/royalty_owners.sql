-- Owners of each work on a day, by territory: WW holds in every territory without a row of its own for the work. A
-- territory in which somebody owns the work on another day has a row with the weight 0, so that WW does not hold there.
-- params:
--   right_type  performing, mechanical or synchronisation
--   day         the day
select
    work_key,
    territory,
    party_key as owner,
    share_bp as weight
from marts.work_owners
where kind = 'ownership' and right_type = $right_type and $day between first_day and last_day
union all
select distinct
    work_key,
    territory,
    cast(null as varchar) as owner,
    0 as weight
from marts.work_owners
where kind = 'ownership' and right_type = $right_type
