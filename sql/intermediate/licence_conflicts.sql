-- Conflicts of licences: those that have lapsed, and uses that none permits.
-- grain: kind, track_id, territory
-- rows: 0
-- columns:
--   kind       lapsed_licence or unlicensed_use
--   track_id   the recording
--   territory  ISO 3166-1 alpha-2; WW is every country that no term names
--   first_day  first day without a licence, or with such a use
--   last_day   9999-12-31: a use that nobody licensed is not over with its last day
--   evidence   source, licence and term of one that has lapsed, null of a use
-- checks:
--   first_day <= last_day
-- reconcile:
--   (select count(*) from intermediate.licence_conflicts) = (select count(*) from intermediate.lapsed_licences) + (select count(*) from intermediate.unlicensed_uses)
select
    'lapsed_licence' as kind,
    track_id,
    territory,
    first_day,
    date '9999-12-31' as last_day,
    evidence
from intermediate.lapsed_licences
union all
select
    'unlicensed_use' as kind,
    track_id,
    territory,
    first_day,
    date '9999-12-31' as last_day,
    cast(null as varchar) as evidence
from intermediate.unlicensed_uses
