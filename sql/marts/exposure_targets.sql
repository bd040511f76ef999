-- Least share of exposure per group that the recipe of the published run sets.
-- reason: marts.exposure and analysts read it; raw tables are dropped when the build ends
-- grain: group_kind, group_name
-- rows: 0
-- columns:
--   group_kind    see marts.track_groups
--   group_name    the group
--   target_share  least share of exposure, 0..1
-- checks:
--   target_share between 0 and 1
-- reconcile:
--   (select count(*) from marts.exposure_targets) = (select count(*) from raw.exposure_targets)
select
    group_kind,
    group_name,
    target_share
from raw.exposure_targets
