-- What the parties of a work claim in all, by right, territory and period; successive periods with the same total are one.
-- grain: work_key, kind, right_type, territory, first_day
-- rows: 0
-- columns:
--   work_key         the work
--   kind             ownership or collection
--   right_type       performing, mechanical or synchronisation
--   territory        ISO 3166-1 alpha-2; WW is every country that has no row for the same work, kind and right
--   first_day        first day of the period
--   last_day         last day of the period
--   total_bp         sum of the parties' shares, 0 between terms [0.01 %]
--   before_bp        that of the period before it, null where there is none [0.01 %]
--   has_ended_claim  whether a term has ended the day before
-- checks:
--   first_day <= last_day
--   total_bp >= 0
-- reconcile:
--   (select count(*) from (select distinct work_key, kind, right_type, territory from intermediate.share_totals) as parts) = (select count(*) from (select distinct work_key, kind, right_type, territory from intermediate.claim_territories where first_day <= last_day) as parts)
with numbered as (
    select
        work_key,
        kind,
        right_type,
        territory,
        first_day,
        last_day,
        total_bp,
        before_bp,
        sum(case when before_bp = total_bp then 0 else 1 end) over (
            partition by work_key, kind, right_type, territory
            order by first_day
            rows between unbounded preceding and current row
        ) as period_no
    from intermediate.share_sums
),

ended as (
    select distinct
        work_key,
        kind,
        right_type,
        territory,
        last_day + 1 as first_day
    from intermediate.claim_territories
    where last_day < date '9999-12-31'
),

merged as (
    select
        work_key,
        kind,
        right_type,
        territory,
        min(first_day) as first_day,
        max(last_day) as last_day,
        min(total_bp) as total_bp,
        min(case when before_bp <> total_bp then before_bp end) as before_bp
    from numbered
    group by work_key, kind, right_type, territory, period_no
)

select
    merged.work_key,
    merged.kind,
    merged.right_type,
    merged.territory,
    merged.first_day,
    merged.last_day,
    merged.total_bp,
    merged.before_bp,
    ended.first_day is not null as has_ended_claim
from merged
left join ended
    on
        merged.work_key = ended.work_key
        and merged.kind = ended.kind
        and merged.right_type = ended.right_type
        and merged.territory = ended.territory
        and merged.first_day = ended.first_day
