-- Claims to works with the work and the party that they concern, whoever states them. Parties are the same if they have
-- the same valid IPI name number; without one, if they have the same name in lower case.
-- grain: source, work_id, claim_no, right_type, territory
-- rows: 0
-- columns:
--   source         who states it
--   work_id        number of the work at the source
--   claim_no       number of the claim within the work
--   right_type     performing, mechanical or synchronisation
--   territory      ISO 3166-1 alpha-2; WW holds wherever the same claim has no row of its own
--   work_key       the work, see intermediate.claimed_works
--   kind           ownership or collection
--   party_key      the party: ipi:NUMBER, name:NAME, or its number at the source
--   party_id       number of the party at the source
--   party_name     name, null where none
--   ipi            IPI name number as claimed
--   is_wrong_code  whether check digits of the IPI name or base number are wrong
--   share_bp       share [0.01 %]
--   first_day      first day of the term
--   last_day       last day of the term
-- checks:
--   party_key is not null
-- reconcile:
--   (select count(*) from intermediate.claims) = (select count(*) from intermediate.registered_shares)
with sums as (
    select
        source,
        work_id,
        claim_no,
        right_type,
        territory,
        kind,
        party_id,
        party_name,
        ipi,
        ipi_base,
        share_bp,
        first_day,
        last_day,
        10 * cast(substring(ipi, 1, 1) as integer) + 9 * cast(substring(ipi, 2, 1) as integer)
        + 8 * cast(substring(ipi, 3, 1) as integer) + 7 * cast(substring(ipi, 4, 1) as integer)
        + 6 * cast(substring(ipi, 5, 1) as integer) + 5 * cast(substring(ipi, 6, 1) as integer)
        + 4 * cast(substring(ipi, 7, 1) as integer) + 3 * cast(substring(ipi, 8, 1) as integer)
        + 2 * cast(substring(ipi, 9, 1) as integer) as name_sum,
        2 + cast(substring(ipi_base, 2, 1) as integer) + 2 * cast(substring(ipi_base, 3, 1) as integer)
        + 3 * cast(substring(ipi_base, 4, 1) as integer) + 4 * cast(substring(ipi_base, 5, 1) as integer)
        + 5 * cast(substring(ipi_base, 6, 1) as integer) + 6 * cast(substring(ipi_base, 7, 1) as integer)
        + 7 * cast(substring(ipi_base, 8, 1) as integer) + 8 * cast(substring(ipi_base, 9, 1) as integer)
        + 9 * cast(substring(ipi_base, 10, 1) as integer) + cast(substring(ipi_base, 11, 1) as integer) as base_sum
    from intermediate.registered_shares
),

checked as (
    select
        source,
        work_id,
        claim_no,
        right_type,
        territory,
        kind,
        party_id,
        party_name,
        ipi,
        share_bp,
        first_day,
        last_day,
        mod(mod(101 - mod(name_sum, 101), 101), 100) = cast(substring(ipi, 10, 2) as integer) as is_name_number,
        coalesce(mod(base_sum, 10) <> 0, false) as is_wrong_base
    from sums
)

select
    checked.source,
    checked.work_id,
    checked.claim_no,
    checked.right_type,
    checked.territory,
    works.work_key,
    checked.kind,
    case
        when checked.is_name_number then concat('ipi:', checked.ipi)
        when checked.party_name is not null then concat('name:', lower(trim(checked.party_name)))
        else concat(checked.source, '/', checked.party_id)
    end as party_key,
    checked.party_id,
    checked.party_name,
    checked.ipi,
    coalesce(not checked.is_name_number, false) or checked.is_wrong_base as is_wrong_code,
    checked.share_bp,
    checked.first_day,
    checked.last_day
from checked
inner join intermediate.claimed_works as works
    on checked.source = works.source and checked.work_id = works.work_id
