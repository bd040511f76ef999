-- Who claims which share of a work, by right, territory and period: one row per party, whoever states it. What a source
-- states of a party in one registration is added up; of several registrations with the same party, the largest share
-- counts.
-- grain: work_key, kind, right_type, territory, first_day, party_key
-- rows: 0
-- columns:
--   work_key      the work: its ISWC where one is known and its check digit is right, else source/work_id
--   kind          ownership, or collection for owners in the territory
--   right_type    performing, mechanical or synchronisation
--   territory     ISO 3166-1 alpha-2; WW is every country that has no row for the same work, kind and right
--   first_day     first day of the period; 0001-01-01 where it has no beginning
--   last_day      last day of the period; 9999-12-31 where it has no end
--   party_key     the party: ipi:NUMBER, name:NAME, or its number at the source
--   share_bp      share; 0 of a country that a claim to the world excludes [0.01 %]
--   least_bp      smallest share that a registration states of the party [0.01 %]
--   n_claimed     registrations that state the party [count]
--   first_source  one of them, the first by name
-- checks:
--   share_bp >= least_bp
--   first_day <= last_day
-- reconcile:
--   (select count(*) from (select distinct work_key, party_key from marts.work_owners) as parties) = (select count(*) from (select distinct work_key, party_key from intermediate.claim_territories where first_day <= last_day) as parties)
with registered as (
    select
        claims.work_key,
        claims.kind,
        claims.right_type,
        claims.territory,
        periods.first_day,
        periods.last_day,
        claims.party_key,
        claims.source,
        claims.work_id,
        cast(sum(claims.share_bp) as bigint) as share_bp
    from intermediate.claim_territories as claims
    inner join intermediate.claim_periods as periods
        on
            claims.work_key = periods.work_key
            and claims.kind = periods.kind
            and claims.right_type = periods.right_type
            and claims.first_day <= periods.first_day
            and claims.last_day >= periods.last_day
    group by
        claims.work_key, claims.kind, claims.right_type, claims.territory, periods.first_day, periods.last_day,
        claims.party_key, claims.source, claims.work_id
)

select
    work_key,
    kind,
    right_type,
    territory,
    first_day,
    last_day,
    party_key,
    max(share_bp) as share_bp,
    min(share_bp) as least_bp,
    count(*) as n_claimed,
    min(source) as first_source
from registered
group by work_key, kind, right_type, territory, first_day, last_day, party_key
