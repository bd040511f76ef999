-- Listens as stored in the lake: one row per listener, recording and start time.
-- grain: user_id, track_id, listened_at
-- columns:
--   user_id         listener (pseudonymous id)
--   track_id        recording
--   listened_at     start of the listen (UTC)
--   listen_date     its day in the market time zone (set per home, UTC by default)
--   n_listens       listens that the row stands for, more than 1 in logs that were aggregated before delivery [count]
--   ms_played       time listened, null where the log has no durations [ms]
--   skipped         whether the listener ended it, null where the log does not say
--   utc_offset_min  the listener's local time minus UTC, null where unknown [min]
--   source          who chose the recording: active (the listener), algorithmic (a recommender) or unknown
--   batch_no        number of the batch that brought it [count]
-- checks:
--   n_listens >= 1
--   ms_played is null or ms_played >= 0
-- reconcile:
--   (select count(*) from staging.listens) = (select count(*) from raw.listens)
select
    user_id,
    track_id,
    listened_at,
    ds as listen_date,
    n_listens,
    ms_played,
    skipped,
    utc_offset_min,
    source,
    batch_no
from raw.listens
