-- Conflicts in the registry of rights, those with most plays first.
-- params:
--   kind   kind of conflict, see marts.rights_conflicts; every kind where empty =
--   ended  true, false: also conflicts that ended before the last day of the logs = false
--   n      conflicts at most [count] = 500
with titles as (
    select
        work_key,
        min(title) as title
    from marts.work_recordings
    group by work_key
)

select
    coalesce(tracks.title, titles.title) as title,
    conflicts.subject,
    conflicts.kind,
    conflicts.n_plays,
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
from marts.rights_conflicts as conflicts
left join titles on conflicts.work_key = titles.work_key
left join marts.track_features as tracks on conflicts.track_id = tracks.track_id
cross join meta.build as build
where
    ($kind = '' or conflicts.kind = $kind)
    and coalesce(conflicts.first_day, date '0001-01-01') <= build.as_of
    and ($ended::boolean or coalesce(conflicts.last_day, date '9999-12-31') >= build.as_of)
order by
    conflicts.n_plays desc nulls last, conflicts.kind asc, conflicts.subject asc, conflicts.right_type asc,
    conflicts.territory asc, since asc, conflicts.party_key asc, conflicts.evidence asc
limit $n::integer
