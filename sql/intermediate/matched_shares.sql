-- Owners of the works of recordings that strict matches concern, in the last period of each work, of any right and territory.
-- grain: track_id, party_key
-- rows: 0
-- columns:
--   track_id   recording that contains the audio of another one, or whose audio it is
--   party_key  an owner of its works, see marts.work_owners
-- checks:
--   party_key is not null
-- reconcile:
--   (select count(distinct track_id) from intermediate.matched_shares) <= (select count(distinct track_id) from marts.work_recordings)
with matched as (
    select source_track_id as track_id
    from marts.match_candidates
    where is_strict and source_track_id <> track_id
    union distinct
    select track_id
    from marts.match_candidates
    where is_strict and source_track_id <> track_id
),

shares as (
    select
        links.track_id,
        owners.party_key,
        owners.last_day,
        max(owners.last_day) over (partition by owners.work_key, owners.right_type) as newest_day
    from matched
    inner join marts.work_recordings as links on matched.track_id = links.track_id
    inner join marts.work_owners as owners on links.work_key = owners.work_key
    where owners.kind = 'ownership' and owners.share_bp > 0
)

select distinct
    track_id,
    party_key
from shares
where last_day = newest_day
