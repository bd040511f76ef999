-- Periods in which the same claims to a right in a work hold: from each day on which a term begins, or has ended the day
-- before, to the next such day.
-- grain: work_key, kind, right_type, first_day
-- rows: 0
-- columns:
--   work_key    the work
--   kind        ownership or collection
--   right_type  performing, mechanical or synchronisation
--   first_day   first day of the period
--   last_day    last day of the period
-- checks:
--   first_day <= last_day
-- reconcile:
--   (select count(*) from (select distinct work_key, kind, right_type from intermediate.claim_periods) as parts) = (select count(*) from (select distinct work_key, kind, right_type from intermediate.claim_territories where first_day <= last_day) as parts)
with boundaries as (
    select
        work_key,
        kind,
        right_type,
        first_day
    from intermediate.claim_territories
    where first_day <= last_day
    union distinct
    select
        work_key,
        kind,
        right_type,
        last_day + 1 as first_day
    from intermediate.claim_territories
    where
        first_day <= last_day
        and last_day < date '9999-12-31'
)

select
    work_key,
    kind,
    right_type,
    first_day,
    coalesce(
        lead(first_day) over (partition by work_key, kind, right_type order by first_day) - 1, date '9999-12-31'
    ) as last_day
from boundaries
