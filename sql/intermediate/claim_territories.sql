-- Claims in each territory that any claim to the work names. Where a claim names a country, that share holds there;
-- elsewhere its share of the world. WW stands for every country that no claim to the work names.
-- grain: source, work_id, claim_no, right_type, territory
-- rows: 0
-- columns:
--   source      who states it
--   work_id     number of the work at the source
--   claim_no    number of the claim within the work
--   right_type  performing, mechanical or synchronisation
--   territory   ISO 3166-1 alpha-2, or WW
--   work_key    the work
--   kind        ownership or collection
--   party_key   the party
--   share_bp    share; 0 of a country that the claim to the world excludes [0.01 %]
--   first_day   first day of the term
--   last_day    last day of the term
-- checks:
--   share_bp >= 0
-- reconcile:
--   (select count(*) from intermediate.claim_territories) >= (select count(*) from intermediate.claims where territory <> 'WW')
with named as (
    select distinct
        work_key,
        kind,
        right_type,
        territory
    from intermediate.claims
),

everywhere as (
    select
        claims.source,
        claims.work_id,
        claims.claim_no,
        claims.right_type,
        named.territory,
        claims.work_key,
        claims.kind,
        claims.party_key,
        claims.share_bp,
        claims.first_day,
        claims.last_day
    from intermediate.claims as claims
    inner join named
        on
            claims.work_key = named.work_key
            and claims.kind = named.kind
            and claims.right_type = named.right_type
    where
        claims.territory = 'WW'
        and claims.share_bp > 0
),

exceptions as (
    select
        source,
        work_id,
        claim_no,
        right_type,
        territory
    from intermediate.claims
    where territory <> 'WW'
)

select
    everywhere.source,
    everywhere.work_id,
    everywhere.claim_no,
    everywhere.right_type,
    everywhere.territory,
    everywhere.work_key,
    everywhere.kind,
    everywhere.party_key,
    everywhere.share_bp,
    everywhere.first_day,
    everywhere.last_day
from everywhere
left join exceptions
    on
        everywhere.source = exceptions.source
        and everywhere.work_id = exceptions.work_id
        and everywhere.claim_no = exceptions.claim_no
        and everywhere.right_type = exceptions.right_type
        and everywhere.territory = exceptions.territory
where exceptions.source is null
union all
select
    source,
    work_id,
    claim_no,
    right_type,
    territory,
    work_key,
    kind,
    party_key,
    share_bp,
    first_day,
    last_day
from intermediate.claims
where territory <> 'WW'
