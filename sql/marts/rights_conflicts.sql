-- Conflicts of rights: those in the registry itself (marts.registry_conflicts), and recordings that contain the audio of
-- one whose owners have no share in their works (matched_audio, marts.matched_owners).
-- grain: kind, subject, source, right_type, territory, first_day, party_key, other_track_id, isrc, evidence
-- rows: 0
-- columns:
--   kind            matched_audio, or one of marts.registry_conflicts
--   subject         the work, else the recording (the first by id of several), else the number of the party or work at its source
--   work_key        the work, see marts.work_owners; null where it concerns no single work
--   source          who states it, null where several do
--   right_type      performing, mechanical or synchronisation; null where it concerns no right
--   territory       ISO 3166-1 alpha-2; WW is every country without claims of its own; null where it concerns none
--   first_day       first day; 0001-01-01 where it always was, null where it has no days
--   last_day        last day; 9999-12-31 where it has no end, null where it has no days
--   party_key       party of a disputed share; of matched audio, an owner who has no share; null otherwise
--   found_bp        share that is claimed; of a disputed share, the largest [0.01 %]
--   other_bp        share that was expected; of a lapsed term, the one before it; of a disputed share, the smallest [0.01 %]
--   track_id        the recording, null where it concerns no single one
--   other_track_id  of matched audio, the recording whose audio it is, null otherwise
--   isrc            the ISRC, null where none
--   evidence        codes and numbers that contradict each other, or the match; null where the shares say it all
--   stated_on       day of the newest registration of the work, of the answer of a society, or of the run that found the match
--   n_plays         plays of the recordings that it concerns, in the whole log; of an unlicensed use, those without a licence alone; null where no recording is known [count]
-- checks:
--   n_plays is null or n_plays >= 0
-- reconcile:
--   (select count(*) from marts.rights_conflicts) = (select count(*) from marts.registry_conflicts) + (select count(*) from marts.matched_owners)
select
    kind,
    subject,
    work_key,
    source,
    right_type,
    territory,
    first_day,
    last_day,
    party_key,
    found_bp,
    other_bp,
    track_id,
    cast(null as varchar) as other_track_id,
    isrc,
    evidence,
    stated_on,
    n_plays
from marts.registry_conflicts
union all
select
    'matched_audio' as kind,
    source_track_id as subject,
    cast(null as varchar) as work_key,
    cast(null as varchar) as source,
    cast(null as varchar) as right_type,
    cast(null as varchar) as territory,
    cast(null as date) as first_day,
    cast(null as date) as last_day,
    party_key,
    cast(null as bigint) as found_bp,
    cast(null as bigint) as other_bp,
    source_track_id as track_id,
    track_id as other_track_id,
    cast(null as varchar) as isrc,
    concat(relation, ', ', cast(cast(floor(100 * probability) as bigint) as varchar), ' %') as evidence,
    found_on as stated_on,
    n_plays
from marts.matched_owners
