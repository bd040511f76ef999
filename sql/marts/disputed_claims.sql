-- What sources claim of works that a conflict in the registry concerns, for each recording of the work: one row without a recording where
-- none is known.
-- grain: track_id, source, work_id, claim_no, right_type, territory
-- rows: 0
-- labels: track_id
-- columns:
--   track_id       recording of the work, null where none is known
--   source         who states it
--   work_id        number of the work at the source
--   claim_no       number of the claim within the work
--   right_type     performing, mechanical or synchronisation
--   territory      ISO 3166-1 alpha-2; WW holds wherever the same claim has no row of its own
--   work_key       the work, see marts.work_owners
--   kind           ownership, or collection for an owner in the territory
--   party_id       number of the party at the source
--   party_key      the party: ipi:NUMBER, name:NAME, or its number at the source
--   party_name     name of the party, null where none
--   share_bp       share; 0 of a country that a claim to the world excludes [0.01 %]
--   first_day      first day of the term; 0001-01-01 where none is stated
--   last_day       last day of the term; 9999-12-31 where none is stated
--   registered_on  day of the registration (UTC)
-- checks:
--   share_bp between 0 and 10000
-- reconcile:
--   (select count(*) from (select distinct source, work_id, claim_no, right_type, territory from marts.disputed_claims) as named) <= (select count(*) from intermediate.claims)
with works as (
    select work_key
    from marts.registry_conflicts
    where work_key is not null
    union distinct
    select links.work_key
    from marts.conflict_recordings as recordings
    inner join intermediate.linked_works as links on recordings.track_id = links.track_id
)

select
    links.track_id,
    claims.source,
    claims.work_id,
    claims.claim_no,
    claims.right_type,
    claims.territory,
    claims.work_key,
    claims.kind,
    claims.party_id,
    claims.party_key,
    claims.party_name,
    claims.share_bp,
    claims.first_day,
    claims.last_day,
    cast(newest.registered_at as date) as registered_on
from works
inner join intermediate.claims as claims on works.work_key = claims.work_key
inner join intermediate.work_registrations as newest
    on claims.source = newest.source and claims.work_id = newest.work_id
left join intermediate.linked_works as links on works.work_key = links.work_key
