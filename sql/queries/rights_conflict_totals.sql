-- Conflicts in the registry of rights by kind, those with most plays first: works, recordings or parties with one.
-- params:
--   ended  true, false: also conflicts that ended before the last day of the logs = false
with subjects as (
    select
        kind,
        subject,
        max(n_plays) as n_plays
    from marts.rights_conflicts
    where
        coalesce(first_day, date '0001-01-01') <= (select build.as_of from meta.build as build)
        and (
            $ended::boolean
            or coalesce(last_day, date '9999-12-31') >= (select build.as_of from meta.build as build)
        )
    group by kind, subject
)

select
    kind,
    count(*) as n_subjects,
    sum(n_plays)::bigint as n_plays
from subjects
group by kind
order by n_plays desc nulls last, kind asc
