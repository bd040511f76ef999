-- Sum of the parties' shares of a work, by right and territory, in each period of intermediate.claim_periods.
-- grain: work_key, kind, right_type, territory, first_day
-- rows: 0
-- columns:
--   work_key    the work
--   kind        ownership or collection
--   right_type  performing, mechanical or synchronisation
--   territory   ISO 3166-1 alpha-2; WW is every country that has no row for the same work, kind and right
--   first_day   first day of the period
--   last_day    last day of the period
--   total_bp    sum of the parties' shares, 0 between terms [0.01 %]
--   before_bp   that of the period before it, null where there is none [0.01 %]
-- checks:
--   total_bp >= 0
-- reconcile:
--   (select coalesce(sum(total_bp), 0) from intermediate.share_sums) = (select coalesce(sum(share_bp), 0) from marts.work_owners)
with territories as (
    select distinct
        work_key,
        kind,
        right_type,
        territory
    from intermediate.claim_territories
    where first_day <= last_day
),

owned as (
    select
        work_key,
        kind,
        right_type,
        territory,
        first_day,
        cast(sum(share_bp) as bigint) as total_bp
    from marts.work_owners
    group by work_key, kind, right_type, territory, first_day
)

select
    periods.work_key,
    periods.kind,
    periods.right_type,
    territories.territory,
    periods.first_day,
    periods.last_day,
    coalesce(owned.total_bp, 0) as total_bp,
    lag(coalesce(owned.total_bp, 0)) over (
        partition by periods.work_key, periods.kind, periods.right_type, territories.territory
        order by periods.first_day
    ) as before_bp
from intermediate.claim_periods as periods
inner join territories
    on
        periods.work_key = territories.work_key
        and periods.kind = territories.kind
        and periods.right_type = territories.right_type
left join owned
    on
        periods.work_key = owned.work_key
        and periods.kind = owned.kind
        and periods.right_type = owned.right_type
        and territories.territory = owned.territory
        and periods.first_day = owned.first_day
