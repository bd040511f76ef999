-- Counts of other channels over seven days compared with those of earlier weeks, where these are at least three and the
-- mean per day at least doubled. z = (ln(mean + 1) - ln(usual + 1)) / error; the error is the greater of the weeks' spread
-- and the noise of counting, widened for few weeks.
-- grain: day, source, track_id, artist_id, metric
-- rows: 0
-- columns:
--   day            last of the seven days
--   source         channel, such as radio
--   track_id       recording, null where the count is of an artist
--   artist_id      artist as delivered, null where the count is of a recording
--   metric         what is counted, such as spins or views
--   value_per_day  mean of the days with a count among the seven
--   usual_per_day  median of the weeks before
--   n_weeks        weeks with a count before [count]
--   z              robust z-score of the seven days [standard deviations]
-- checks:
--   value_per_day >= 2 * usual_per_day
--   n_weeks between 3 and 8
--   z is not null
-- reconcile:
--   (select count(*) from intermediate.signal_scores) <= (select count(*) from intermediate.signal_histories)
with weeks as (
    select
        day,
        source,
        track_id,
        artist_id,
        metric,
        avg(value) over (
            partition by source, track_id, artist_id, metric
            order by cast(epoch(cast(day as timestamp)) / 86400 as bigint)
            range between 6 preceding and current row
        ) as value_per_day
    from staging.signals
    where value >= 0
)

select
    weeks.day,
    weeks.source,
    weeks.track_id,
    weeks.artist_id,
    weeks.metric,
    weeks.value_per_day,
    histories.usual as usual_per_day,
    histories.n_weeks,
    (ln(weeks.value_per_day + 1) - ln(histories.usual + 1))
    / greatest(histories.spread, 1 / sqrt(7 * histories.usual + 1)) / sqrt(1 + 1.57 / histories.n_weeks) as z
from weeks
inner join intermediate.signal_histories as histories
    on
        weeks.day = histories.day
        and weeks.source = histories.source
        and weeks.metric = histories.metric
        and weeks.track_id is not distinct from histories.track_id
        and weeks.artist_id is not distinct from histories.artist_id
where histories.n_weeks >= 3 and weeks.value_per_day >= 2 * histories.usual
