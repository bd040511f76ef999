-- Conflicts in the registry of rights that have begun by the last day of the logs, those with most plays first.
-- params:
--   ended  true, false = also those that have ended before the last day
select
    kind,
    subject,
    coalesce(nullif(first_day, date '0001-01-01'), stated_on) as since,
    nullif(last_day, date '9999-12-31') as until,
    source,
    right_type,
    territory,
    party_key,
    found_bp / 100.0 as found_percent,
    other_bp / 100.0 as other_percent,
    work_key,
    track_id,
    other_track_id,
    isrc,
    evidence,
    n_plays
from marts.rights_conflicts
where
    coalesce(first_day, date '0001-01-01') <= (select build.as_of from meta.build as build)
    and (
        cast($ended as boolean)
        or coalesce(last_day, date '9999-12-31') >= (select build.as_of from meta.build as build)
    )
order by
    n_plays desc nulls last, kind asc, subject asc, right_type asc, territory asc, first_day asc, party_key asc,
    other_track_id asc, evidence asc
