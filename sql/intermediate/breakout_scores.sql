-- Breakout candidates far enough above their baseline, whoever played them. z = (ln of this week's plays - ln of the
-- expected plays) / error; the error is the greater of the baseline's spread and the counting noise (plays come in
-- clusters of plays / listener-days), widened for the few weeks of the baseline. A row needs z >= 4 and twice the
-- expected plays.
-- grain: track_id, listen_date
-- rows: 0
-- columns:
--   track_id             recording
--   listen_date          last of the seven days (market time zone)
--   day_no               that day as a number, counted from 1970-01-01 [d]
--   n_plays              plays of the seven days [count]
--   n_expected           expected plays: the baseline's median share x plays of all recordings in the seven days [count]
--   n_plays_before       plays of the seven days before, null where none [count]
--   n_plays_long_before  plays of the seven days before those, null where none [count]
--   z                    robust z-score of the seven days [standard deviations]
-- checks:
--   z >= 4
-- reconcile:
--   (select count(*) from intermediate.breakout_scores) <= (select count(*) from intermediate.breakout_histories)
with expected as (
    select
        candidates.track_id,
        candidates.listen_date,
        candidates.day_no,
        candidates.n_plays,
        exp(histories.level) * candidates.n_market as n_expected,
        candidates.n_plays_before,
        candidates.n_plays_long_before,
        candidates.n_plays / candidates.n_listener_days as plays_per_listener_day,
        histories.spread,
        histories.n_weeks
    from intermediate.breakout_candidates as candidates
    inner join intermediate.breakout_histories as histories
        on candidates.track_id = histories.track_id and candidates.day_no = histories.day_no
    where histories.n_weeks >= 2
),

scored as (
    select
        track_id,
        listen_date,
        day_no,
        n_plays,
        n_expected,
        n_plays_before,
        n_plays_long_before,
        (ln(n_plays + 1) - ln(n_expected))
        / greatest(spread, sqrt(plays_per_listener_day / n_expected)) / sqrt(1 + 1.57 / n_weeks) as z
    from expected
    where n_plays + 1 >= 2 * n_expected
)

select
    track_id,
    listen_date,
    day_no,
    n_plays,
    n_expected,
    n_plays_before,
    n_plays_long_before,
    z
from scored
where z >= 4
