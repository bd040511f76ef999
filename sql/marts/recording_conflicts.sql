-- Conflicts in the registry of rights by the recordings that they concern, as the label of each may see them: recordings
-- of other labels are not named, and unlicensed uses, which are plays of few in a country, are left out.
-- marts.rights_conflicts has all conflicts.
-- grain: track_id, kind, subject, source, right_type, territory, first_day, party_key, other_track_id, evidence
-- rows: 0
-- labels: track_id
-- columns:
--   track_id        the recording
--   kind            what is wrong, see marts.rights_conflicts
--   subject         what it concerns: the work, else the recording, else the number of the party or of the work that the source names
--   source          who states it, null where several do
--   right_type      performing, mechanical or synchronisation; null where it concerns no right
--   territory       ISO 3166-1 alpha-2; WW is every country without claims of its own; null where it concerns none
--   first_day       first day; 0001-01-01 where it always was, null where it has no days
--   last_day        last day; 9999-12-31 where it has no end, null where it has no days
--   party_key       party of a disputed share; of matched audio, an owner who has no share; null otherwise
--   found_bp        share that is claimed; of a disputed share, the largest [0.01 %]
--   other_bp        share that was expected; of a lapsed term, the one before it; of a disputed share, the smallest [0.01 %]
--   other_track_id  of matched audio, the other recording, null where it has another label
--   evidence        codes and numbers that contradict each other, or the match; null where the shares say it all, and where it names recordings
--   stated_on       day of the newest registration of the work, of the answer of a society, or of the run that found a match
-- checks:
--   track_id is not null
-- reconcile:
--   (select count(*) from (select distinct track_id, kind, subject, source from marts.recording_conflicts) as named) <= (select count(*) from marts.conflict_recordings) + 2 * (select count(*) from marts.matched_owners)
with recordings as (
    select
        kind,
        subject,
        source,
        track_id
    from marts.conflict_recordings
    union all
    select
        'matched_audio' as kind,
        source_track_id as subject,
        cast(null as varchar) as source,
        source_track_id as track_id
    from marts.matched_owners
    union distinct
    select
        'matched_audio' as kind,
        source_track_id as subject,
        cast(null as varchar) as source,
        track_id
    from marts.matched_owners
)

select distinct
    recordings.track_id,
    conflicts.kind,
    case
        when conflicts.kind in ('isrc_on_several_recordings', 'matched_audio') then recordings.track_id
        else conflicts.subject
    end as subject,
    conflicts.source,
    conflicts.right_type,
    conflicts.territory,
    conflicts.first_day,
    conflicts.last_day,
    conflicts.party_key,
    conflicts.found_bp,
    conflicts.other_bp,
    others.track_id as other_track_id,
    case when conflicts.kind <> 'isrc_on_several_recordings' then conflicts.evidence end as evidence,
    conflicts.stated_on
from recordings
inner join marts.rights_conflicts as conflicts
    on
        recordings.kind = conflicts.kind
        and recordings.subject = conflicts.subject
        and coalesce(recordings.source, '') = coalesce(conflicts.source, '')
left join marts.track_features as own on recordings.track_id = own.track_id
left join marts.track_features as others
    on
        case when recordings.track_id = conflicts.track_id then conflicts.other_track_id else conflicts.track_id end
        = others.track_id
        and conflicts.other_track_id is not null
        and own.label_id = others.label_id
where
    conflicts.kind <> 'unlicensed_use'
    and (conflicts.other_track_id is null or recordings.track_id in (conflicts.track_id, conflicts.other_track_id))
