-- Recordings of the catalogue that contain the audio of another one whose owners have no share in their works: of matches
-- that pass the strict threshold, of works with owners. Recordings of the same work, and of works that credit every owner
-- of the other, are none. Owners are those of the last period of a work, of any right and territory.
-- grain: source_track_id, track_id
-- rows: 0
-- columns:
--   source_track_id  recording that contains the audio
--   track_id         recording whose audio it is
--   party_key        an owner of that recording's works who has no share in the other's, the first by name
--   n_owners         such owners [count]
--   relation         same, contained or part, see marts.match_candidates
--   probability      match probability, 0..1
--   found_on         day for which the first run that found it made lists
--   n_plays          plays of both recordings, in the whole log [count]
-- checks:
--   source_track_id <> track_id
-- reconcile:
--   (select count(*) from marts.matched_owners) <= (select count(*) from marts.match_candidates where is_strict)
with matches as (
    select
        source_track_id,
        track_id,
        max(relation) as relation,
        max(probability) as probability,
        min(found_on) as found_on
    from marts.match_candidates
    where is_strict and source_track_id <> track_id
    group by source_track_id, track_id
),

same_work as (
    select distinct
        matches.source_track_id,
        matches.track_id
    from matches
    inner join marts.work_recordings as ours on matches.source_track_id = ours.track_id
    inner join marts.work_recordings as theirs on matches.track_id = theirs.track_id and ours.work_key = theirs.work_key
),

owned as (
    select distinct track_id
    from intermediate.matched_shares
),

plays as (
    select
        track_id,
        cast(sum(n_plays) as bigint) as n_plays
    from marts.interactions
    group by track_id
),

found as (
    select
        matches.source_track_id,
        matches.track_id,
        min(theirs.party_key) as party_key,
        count(*) as n_owners,
        max(matches.relation) as relation,
        max(matches.probability) as probability,
        min(matches.found_on) as found_on
    from matches
    inner join owned on matches.source_track_id = owned.track_id
    inner join intermediate.matched_shares as theirs on matches.track_id = theirs.track_id
    left join intermediate.matched_shares as ours
        on matches.source_track_id = ours.track_id and theirs.party_key = ours.party_key
    left join same_work
        on matches.source_track_id = same_work.source_track_id and matches.track_id = same_work.track_id
    where ours.party_key is null and same_work.track_id is null
    group by matches.source_track_id, matches.track_id
)

select
    found.source_track_id,
    found.track_id,
    found.party_key,
    found.n_owners,
    found.relation,
    found.probability,
    found.found_on,
    coalesce(ours.n_plays, 0) + coalesce(theirs.n_plays, 0) as n_plays
from found
left join plays as ours on found.source_track_id = ours.track_id
left join plays as theirs on found.track_id = theirs.track_id
