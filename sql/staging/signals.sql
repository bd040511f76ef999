-- Counts of other channels as delivered, such as social media, video, radio and concerts: the newest row per day, source,
-- recording or artist, and metric, up to the run's date.
-- grain: day, source, track_id, artist_id, metric
-- rows: 0
-- columns:
--   day        day of the count
--   source     channel, such as radio
--   track_id   recording, null where the count is of an artist
--   artist_id  artist, null where the count is of a recording
--   metric     what is counted, such as spins or views
--   value      the count as delivered
-- checks:
--   value is not null
-- reconcile:
--   (select count(*) from staging.signals) = (select count(*) from (select distinct day, source, track_id, artist_id, metric from raw.signals_versions) as counted)
select
    day,
    source,
    track_id,
    artist_id,
    metric,
    value
from raw.signals
