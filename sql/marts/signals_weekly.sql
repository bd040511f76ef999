-- Counts of other channels (social media, video, radio, concerts) over the seven days that end on each day with a count,
-- beside the seven days before, to be read with the breakouts of plays.
-- grain: day, source, track_id, artist_id, metric
-- rows: 0
-- labels: artist_id
-- columns:
--   day          last of the seven days
--   source       channel, such as radio
--   track_id     recording, null where the count is of an artist
--   artist_id    artist as delivered, or of the recording where the catalogue has it
--   metric       what is counted, such as spins or views
--   value        sum of the seven days
--   value_before sum of the seven days before, null where none was delivered
-- checks:
--   value is not null
-- reconcile:
--   (select count(*) from marts.signals_weekly) = (select count(*) from staging.signals)
with numbered as (
    select
        signals.day,
        signals.source,
        signals.track_id,
        coalesce(signals.artist_id, tracks.artist_id) as artist_id,
        signals.artist_id as delivered_artist_id,
        signals.metric,
        signals.value,
        cast(epoch(cast(signals.day as timestamp)) / 86400 as bigint) as day_no
    from staging.signals as signals
    left join staging.tracks as tracks on signals.track_id = tracks.track_id
)

select
    day,
    source,
    track_id,
    artist_id,
    metric,
    sum(value) over (
        partition by source, track_id, delivered_artist_id, metric
        order by day_no
        range between 6 preceding and current row
    ) as value,
    sum(value) over (
        partition by source, track_id, delivered_artist_id, metric
        order by day_no
        range between 13 preceding and 7 preceding
    ) as value_before
from numbered
