-- All conflicts in the registry of rights in one form, as in marts.rights_conflicts without plays.
-- grain: kind, subject, source, right_type, territory, first_day, party_key, isrc, evidence
-- rows: 0
-- columns:
--   kind            what is wrong, see marts.rights_conflicts
--   subject         what it concerns: the work, else the recording, else the number of the party or of the work
--   work_key        the work, see marts.work_owners; null where it concerns no single work
--   source          who states it, null where several do
--   right_type      performing, mechanical or synchronisation; null where it concerns no right
--   territory       ISO 3166-1 alpha-2; WW is every country without claims of its own; null where it concerns none
--   first_day       first day; 0001-01-01 where it always was, null where it has no days
--   last_day        last day; 9999-12-31 where it has no end, null where it has no days
--   party_key       party of a disputed share, null otherwise
--   found_bp        share that is claimed; of a disputed share, the largest [0.01 %]
--   other_bp        share that was expected; of a lapsed term, the one before it; of a disputed share, the smallest [0.01 %]
--   track_id        the recording, null where it concerns a work
--   isrc            the ISRC, null where none
--   evidence        codes and numbers that contradict each other; null where the shares say it all
--   stated_on       day of the answer of a society, null of all others
-- checks:
--   kind is not null
-- reconcile:
--   (select count(*) from intermediate.conflicts_of_rights) = (select count(*) from intermediate.share_conflicts) + (select count(*) from intermediate.identity_conflicts) + (select count(*) from intermediate.missing_rights) + (select count(*) from intermediate.licence_conflicts)
with others as (
    select
        kind,
        subject,
        work_key,
        source,
        track_id,
        isrc,
        evidence,
        cast(null as date) as stated_on
    from intermediate.identity_conflicts
    union all
    select
        kind,
        subject,
        work_key,
        source,
        track_id,
        cast(null as varchar) as isrc,
        evidence,
        stated_on
    from intermediate.missing_rights
)

select
    kind,
    work_key as subject,
    work_key,
    cast(null as varchar) as source,
    right_type,
    territory,
    first_day,
    last_day,
    party_key,
    found_bp,
    other_bp,
    cast(null as varchar) as track_id,
    cast(null as varchar) as isrc,
    cast(null as varchar) as evidence,
    cast(null as date) as stated_on
from intermediate.share_conflicts
union all
select
    kind,
    subject,
    work_key,
    source,
    cast(null as varchar) as right_type,
    cast(null as varchar) as territory,
    cast(null as date) as first_day,
    cast(null as date) as last_day,
    cast(null as varchar) as party_key,
    cast(null as bigint) as found_bp,
    cast(null as bigint) as other_bp,
    track_id,
    isrc,
    evidence,
    stated_on
from others
union all
select
    kind,
    track_id as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    cast(null as varchar) as right_type,
    territory,
    first_day,
    last_day,
    cast(null as varchar) as party_key,
    cast(null as bigint) as found_bp,
    cast(null as bigint) as other_bp,
    track_id,
    cast(null as varchar) as isrc,
    evidence,
    cast(null as date) as stated_on
from intermediate.licence_conflicts
