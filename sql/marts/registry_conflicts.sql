-- What is wrong in the registry of rights itself, and what it is worth in plays. Successive terms, disjoint territories, rounded
-- shares (99.94 to 100.06 %), sources that state the same, and medleys of works with other titles are no conflicts.
--
--   shares_over, shares_under     shares of owners above or below 100 %
--   lapsed_term                   a term has ended, and the shares no longer add up
--   disputed_share                sources state different shares of the same party
--   collection_over               collectors claim more than 100 %
--   isrc_on_several_recordings, recording_with_several_isrcs
--   iswc_on_several_works         a source has two works with the same ISWC
--   recording_on_several_works    a recording is linked to two works with the same title
--   party_with_several_ipis       a source has two IPI name numbers for one party
--   recording_without_work        no source links it; none, where no links were delivered
--   work_without_shares           nobody claims it
--   wrong_check_digit             of an ISWC or IPI number
--   registration_refused          status CO, RC or RJ of the newest acknowledgement
--   lapsed_licence                all licences to stream a recording have ended, and it is still offered
--   unlicensed_use                plays on days or in countries for which no licence of the recording permits streaming.
-- grain: kind, subject, source, right_type, territory, first_day, party_key, isrc, evidence
-- rows: 0
-- columns:
--   kind            what is wrong, as above
--   subject         the work, else the recording (the first by id of several), else the number of the party or work at its source
--   work_key        the work, see marts.work_owners; null where it concerns no single work
--   source          who states it, null where several do
--   right_type      performing, mechanical or synchronisation; null where it concerns no right
--   territory       ISO 3166-1 alpha-2; WW is every country without claims of its own; null where it concerns none
--   first_day       first day; 0001-01-01 where it always was, null where it has no days
--   last_day        last day; 9999-12-31 where it has no end, null where it has no days
--   party_key       party of a disputed share, null otherwise
--   found_bp        share that is claimed; of a disputed share, the largest [0.01 %]
--   other_bp        share that was expected; of a lapsed term, the one before it; of a disputed share, the smallest [0.01 %]
--   track_id        the recording, null where it concerns no single one
--   isrc            the ISRC, null where none
--   evidence        codes and numbers that contradict each other; null where the shares say it all
--   stated_on       day of the newest registration of the work, or of the answer of a society
--   n_plays         plays of the recordings that it concerns, in the whole log; of an unlicensed use, those without a licence alone; null where no recording is known [count]
-- checks:
--   n_plays is null or n_plays >= 0
-- reconcile:
--   (select count(*) from marts.registry_conflicts) = (select count(*) from intermediate.conflicts_of_rights)
with of_tracks as (
    select
        track_id,
        cast(sum(n_plays) as bigint) as n_plays
    from marts.interactions
    group by track_id
),

plays as (
    select
        recordings.kind,
        recordings.subject,
        recordings.source,
        cast(sum(coalesce(of_tracks.n_plays, 0)) as bigint) as n_plays
    from marts.conflict_recordings as recordings
    left join of_tracks on recordings.track_id = of_tracks.track_id
    where recordings.kind <> 'unlicensed_use'
    group by recordings.kind, recordings.subject, recordings.source
    union all
    select
        'unlicensed_use' as kind,
        track_id as subject,
        cast(null as varchar) as source,
        cast(sum(n_plays) as bigint) as n_plays
    from intermediate.unlicensed_uses
    group by track_id
),

registered as (
    select
        works.work_key,
        cast(max(newest.registered_at) as date) as registered_on
    from intermediate.claimed_works as works
    inner join intermediate.work_registrations as newest
        on works.source = newest.source and works.work_id = newest.work_id
    group by works.work_key
)

select
    conflicts.kind,
    conflicts.subject,
    conflicts.work_key,
    conflicts.source,
    conflicts.right_type,
    conflicts.territory,
    conflicts.first_day,
    conflicts.last_day,
    conflicts.party_key,
    conflicts.found_bp,
    conflicts.other_bp,
    conflicts.track_id,
    conflicts.isrc,
    conflicts.evidence,
    coalesce(conflicts.stated_on, registered.registered_on) as stated_on,
    plays.n_plays
from intermediate.conflicts_of_rights as conflicts
left join plays
    on
        conflicts.kind = plays.kind
        and conflicts.subject = plays.subject
        and coalesce(conflicts.source, '') = coalesce(plays.source, '')
left join registered on conflicts.work_key = registered.work_key
