-- Takedowns: recordings that no index may hold and no list may show. The newest row per recording.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id         recording
--   taken_down_at    first day of the takedown
--   takedown_reason  reason as delivered, null where none was given
-- checks:
--   taken_down_at is not null
-- reconcile:
--   (select count(*) from staging.takedowns) = (select count(distinct track_id) from raw.takedowns_versions)
select
    track_id,
    taken_down_at,
    takedown_reason
from raw.takedowns
