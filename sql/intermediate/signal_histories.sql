-- Baseline of each count of another channel: its mean per day in up to eight earlier weeks that end on the same weekday.
-- Days without a delivered count are unknown, not zero. Negative counts, which are corrections, are left out.
-- grain: day, source, track_id, artist_id, metric
-- rows: 0
-- columns:
--   day        last of the seven days
--   source     channel, such as radio
--   track_id   recording, null where the count is of an artist
--   artist_id  artist as delivered, null where the count is of a recording
--   metric     what is counted, such as spins or views
--   n_weeks    weeks in the baseline [count]
--   usual      median of their means per day
--   spread     1.4826 x the median absolute deviation of ln(mean + 1) from ln(usual + 1), a robust standard deviation
-- checks:
--   n_weeks between 1 and 8
--   usual >= 0
--   spread >= 0
-- reconcile:
--   (select count(*) from intermediate.signal_histories) <= (select count(*) from staging.signals)
with counts as (
    select
        day,
        source,
        track_id,
        artist_id,
        metric,
        value,
        cast(epoch(cast(day as timestamp)) / 86400 as bigint) as day_no
    from staging.signals
    where value >= 0
),

weeks as (
    select
        counts.day,
        counts.source,
        counts.track_id,
        counts.artist_id,
        counts.metric,
        cast(floor((counts.day_no - 7 - earlier.day_no) / 7) as bigint) as weeks_ago,
        avg(earlier.value) as level
    from counts
    inner join counts as earlier
        on
            counts.source = earlier.source
            and counts.metric = earlier.metric
            and counts.track_id is not distinct from earlier.track_id
            and counts.artist_id is not distinct from earlier.artist_id
            and earlier.day_no between counts.day_no - 62 and counts.day_no - 7
    group by
        counts.day,
        counts.source,
        counts.track_id,
        counts.artist_id,
        counts.metric,
        cast(floor((counts.day_no - 7 - earlier.day_no) / 7) as bigint)
),

medians as (
    select
        day,
        source,
        track_id,
        artist_id,
        metric,
        level,
        median(level) over (partition by day, source, track_id, artist_id, metric) as usual
    from weeks
)

select
    day,
    source,
    track_id,
    artist_id,
    metric,
    count(*) as n_weeks,
    usual,
    1.4826 * median(abs(ln(level + 1) - ln(usual + 1))) as spread
from medians
group by day, source, track_id, artist_id, metric, usual
