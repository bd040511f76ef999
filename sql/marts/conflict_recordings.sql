-- Recordings of the catalogue that a conflict in the registry of rights concerns: the recording itself, those of its work,
-- those with its ISRC, those of the works that its party claims.
-- grain: kind, subject, source, track_id
-- rows: 0
-- columns:
--   kind      what is wrong, see marts.registry_conflicts
--   subject   what it concerns, see intermediate.conflicts_of_rights
--   source    who states it, null where several do
--   track_id  recording of the catalogue
-- checks:
--   track_id is not null
-- reconcile:
--   (select count(*) from (select distinct kind, subject, source from marts.conflict_recordings) as named) <= (select count(*) from (select distinct kind, subject, source from intermediate.conflicts_of_rights) as named)
with party_works as (
    select distinct
        source,
        party_id,
        work_key
    from intermediate.claims
)

select
    kind,
    subject,
    source,
    track_id
from intermediate.conflicts_of_rights
where track_id is not null
union distinct
select
    conflicts.kind,
    conflicts.subject,
    conflicts.source,
    links.track_id
from intermediate.conflicts_of_rights as conflicts
inner join intermediate.linked_works as links on conflicts.work_key = links.work_key
union distinct
select
    conflicts.kind,
    conflicts.subject,
    conflicts.source,
    tracks.track_id
from intermediate.conflicts_of_rights as conflicts
inner join staging.tracks as tracks on conflicts.isrc = upper(replace(tracks.isrc, '-', ''))
where conflicts.kind = 'isrc_on_several_recordings'
union distinct
select
    conflicts.kind,
    conflicts.subject,
    conflicts.source,
    links.track_id
from intermediate.conflicts_of_rights as conflicts
inner join party_works on conflicts.source = party_works.source and conflicts.subject = party_works.party_id
inner join intermediate.linked_works as links on party_works.work_key = links.work_key
where conflicts.kind = 'party_with_several_ipis'
