-- Recordings and works of which something is missing or was refused, and claims with codes that cannot be right. The work
-- of a society's answer is that of its own registration with the number, else the only work with the number.
-- grain: kind, subject, source, evidence
-- rows: 0
-- columns:
--   kind       what is wrong, see marts.rights_conflicts
--   subject    what it concerns: the work, the recording, or the number of the work in the answer of a society
--   work_key   the work, null where none is known
--   source     who states it, null where nobody does
--   track_id   the recording, null where it concerns a work
--   stated_on  day of the answer of a society, null of all others
--   evidence   the code or status, or the number of the work
-- checks:
--   kind is not null
-- reconcile:
--   (select count(*) from intermediate.missing_rights where kind = 'recording_without_work') <= (select count(*) from staging.tracks)
with numbered as (
    select
        work_id,
        min(work_key) as work_key
    from intermediate.claimed_works
    group by work_id
    having count(distinct work_key) = 1
)

select
    'recording_without_work' as kind,
    tracks.track_id as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    tracks.track_id,
    cast(null as date) as stated_on,
    cast(null as varchar) as evidence
from staging.tracks as tracks
left join intermediate.linked_works as links on tracks.track_id = links.track_id
where links.track_id is null and (select count(*) from intermediate.registered_recordings) > 0
union all
select
    'work_without_shares' as kind,
    works.work_key as subject,
    works.work_key,
    min(works.source) as source,
    cast(null as varchar) as track_id,
    cast(null as date) as stated_on,
    min(works.work_id) as evidence
from intermediate.claimed_works as works
left join intermediate.claims as claims on works.work_key = claims.work_key and claims.kind = 'ownership'
where claims.work_key is null
group by works.work_key
union all
select
    'wrong_check_digit' as kind,
    work_key as subject,
    work_key,
    source,
    cast(null as varchar) as track_id,
    cast(null as date) as stated_on,
    concat('ISWC ', iswc) as evidence
from intermediate.claimed_works
where is_wrong_code
union all
select
    'wrong_check_digit' as kind,
    work_key as subject,
    work_key,
    source,
    cast(null as varchar) as track_id,
    cast(null as date) as stated_on,
    concat('IPI of ', party_id) as evidence
from intermediate.claims
where is_wrong_code
group by work_key, source, party_id
union all
select
    'registration_refused' as kind,
    answers.work_id as subject,
    coalesce(own.work_key, others.work_key) as work_key,
    answers.source,
    cast(null as varchar) as track_id,
    cast(answers.acknowledged_at as date) as stated_on,
    answers.status as evidence
from staging.work_acknowledgements as answers
left join intermediate.claimed_works as own on answers.source = own.source and answers.work_id = own.work_id
left join numbered as others on answers.work_id = others.work_id
where answers.status in ('CO', 'RC', 'RJ')
