-- Conflicts in the registry of rights by kind that concern a label's own recordings, the most recordings first.
-- params:
--   ended  true, false: also conflicts that ended before the last day of the logs = false
select
    kind,
    count(distinct track_id) as n_subjects
from marts.recording_conflicts
where
    coalesce(first_day, date '0001-01-01') <= (select build.as_of from meta.build as build)
    and (
        $ended::boolean
        or coalesce(last_day, date '9999-12-31') >= (select build.as_of from meta.build as build)
    )
group by kind
order by n_subjects desc, kind asc
