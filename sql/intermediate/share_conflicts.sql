-- Works whose shares do not add up, by right, territory and period. Shares of 99.94 to 100.06 % add up, the tolerance of
-- CWR for rounded shares. Of collection only sums above it are conflicts, since registrations leave out others' collectors.
-- grain: kind, work_key, right_type, territory, first_day, party_key
-- rows: 0
-- columns:
--   kind        shares_over, shares_under, lapsed_term, collection_over or disputed_share
--   work_key    the work
--   right_type  performing, mechanical or synchronisation
--   territory   ISO 3166-1 alpha-2; WW is every country that has no claim of its own
--   first_day   first day of the period
--   last_day    last day of the period
--   party_key   of a disputed share, its party; null otherwise
--   found_bp    what is claimed; of a disputed share, the largest claim [0.01 %]
--   other_bp    what it should be; of a lapsed term, what it was before; of a disputed share, the smallest claim [0.01 %]
-- checks:
--   first_day <= last_day
-- reconcile:
--   (select count(*) from intermediate.share_conflicts where kind = 'shares_over') = (select count(*) from intermediate.share_totals where kind = 'ownership' and total_bp > 10006)
with totals as (
    select
        case
            when kind = 'collection' and total_bp > 10006 then 'collection_over'
            when kind = 'collection' or total_bp between 9994 and 10006 then ''
            when total_bp > 10006 then 'shares_over'
            when has_ended_claim and (before_bp >= 9994 or total_bp = 0) then 'lapsed_term'
            when total_bp > 0 then 'shares_under'
            else ''
        end as kind,
        work_key,
        right_type,
        territory,
        first_day,
        last_day,
        total_bp,
        before_bp
    from intermediate.share_totals
)

select
    kind,
    work_key,
    right_type,
    territory,
    first_day,
    last_day,
    cast(null as varchar) as party_key,
    total_bp as found_bp,
    case when kind = 'lapsed_term' then before_bp else 10000 end as other_bp
from totals
where kind <> ''
union all
select
    'disputed_share' as kind,
    work_key,
    right_type,
    territory,
    first_day,
    last_day,
    party_key,
    share_bp as found_bp,
    least_bp as other_bp
from marts.work_owners
where
    kind = 'ownership'
    and least_bp < share_bp
