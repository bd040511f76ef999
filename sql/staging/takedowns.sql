-- Takedowns: recordings that no index may hold and no list may name; the newest row of each.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id       recording
--   taken_down_at  day from which it is taken down
--   grounds        why, as delivered, null where nobody said
-- checks:
--   taken_down_at is not null
-- reconcile:
--   (select count(*) from staging.takedowns) = (select count(distinct track_id) from raw.takedowns_versions)
select
    track_id,
    taken_down_at,
    grounds
from raw.takedowns
