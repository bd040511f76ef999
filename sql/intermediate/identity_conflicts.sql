-- Identifiers of works, recordings and parties that contradict each other.
-- grain: kind, subject, source, isrc, evidence
-- rows: 0
-- columns:
--   kind      what is wrong, see marts.rights_conflicts
--   subject   what it concerns: the work, the recording (the first by id of several), or the number of the party
--   work_key  the work, null where it concerns several
--   source    who states it, null where several do
--   track_id  the recording, null where it concerns no single one
--   isrc      the ISRC, null where none
--   evidence  the numbers that contradict each other, the first and the last
-- checks:
--   kind is not null
-- reconcile:
--   (select count(*) from intermediate.identity_conflicts where kind = 'isrc_on_several_recordings') = (select count(*) from (select upper(replace(isrc, '-', '')) as isrc from staging.tracks group by upper(replace(isrc, '-', '')) having count(*) > 1 and max(isrc) is not null) as shared)
with stated as (
    select
        track_id,
        upper(replace(isrc, '-', '')) as isrc
    from staging.tracks
    where isrc is not null
    union distinct
    select
        track_id,
        isrc
    from intermediate.registered_recordings
    where track_id is not null and isrc is not null
)

select
    'isrc_on_several_recordings' as kind,
    min(track_id) as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    cast(null as varchar) as track_id,
    upper(replace(isrc, '-', '')) as isrc,
    concat(min(track_id), ', ', max(track_id)) as evidence
from staging.tracks
where isrc is not null
group by upper(replace(isrc, '-', ''))
having count(*) > 1
union all
select
    'recording_with_several_isrcs' as kind,
    track_id as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    track_id,
    min(isrc) as isrc,
    concat(min(isrc), ', ', max(isrc)) as evidence
from stated
group by track_id
having count(*) > 1
union all
select
    'iswc_on_several_works' as kind,
    work_key as subject,
    work_key,
    source,
    cast(null as varchar) as track_id,
    cast(null as varchar) as isrc,
    concat(min(work_id), ', ', max(work_id)) as evidence
from intermediate.claimed_works
where work_key = iswc
group by work_key, source
having count(*) > 1
union all
select
    'recording_on_several_works' as kind,
    track_id as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    track_id,
    cast(null as varchar) as isrc,
    concat(min(work_key), ', ', max(work_key)) as evidence
from intermediate.linked_works
where title is not null
group by track_id, lower(trim(title))
having count(*) > 1
union all
select
    'party_with_several_ipis' as kind,
    party_id as subject,
    cast(null as varchar) as work_key,
    source,
    cast(null as varchar) as track_id,
    cast(null as varchar) as isrc,
    concat(min(ipi), ', ', max(ipi)) as evidence
from intermediate.claims
where ipi is not null
group by source, party_id
having min(ipi) <> max(ipi)
