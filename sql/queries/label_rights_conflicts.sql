-- Conflicts in the registry of rights that concern a label's own recordings, without plays.
-- params:
--   kind   kind of conflict, see marts.recording_conflicts; every kind where empty =
--   ended  true, false: also conflicts that ended before the last day of the logs = false
--   n      conflicts at most [count] = 500
select
    tracks.title,
    conflicts.subject,
    conflicts.kind,
    coalesce(nullif(conflicts.first_day, date '0001-01-01'), conflicts.stated_on) as since,
    nullif(conflicts.last_day, date '9999-12-31') as until,
    conflicts.right_type,
    conflicts.territory,
    conflicts.found_bp / 10000.0 as found_share,
    conflicts.other_bp / 10000.0 as expected_share,
    conflicts.party_key,
    conflicts.source,
    conflicts.evidence,
    conflicts.track_id
from marts.recording_conflicts as conflicts
inner join marts.track_features as tracks on conflicts.track_id = tracks.track_id
cross join meta.build as build
where
    ($ended::boolean or coalesce(conflicts.last_day, date '9999-12-31') >= build.as_of)
    and coalesce(conflicts.first_day, date '0001-01-01') <= build.as_of
    and ($kind = '' or conflicts.kind = $kind)
order by
    tracks.title asc, conflicts.track_id asc, conflicts.kind asc, conflicts.subject asc, conflicts.right_type asc,
    conflicts.territory asc, since asc, conflicts.party_key asc, conflicts.evidence asc
limit $n::integer
