-- Candidates for a breakout that rise far enough, whoever plays them: z = (ln of this week - their median) / spread; the
-- spread is the greater of that of the weeks before and the noise of counting (plays come in bunches of plays /
-- listener-days), widened for the weeks it is learned from. At least z 4 and twice the expected plays.
-- grain: track_id, listen_date
-- rows: 0
-- columns:
--   track_id             recording
--   listen_date          last of the seven days (market's clock)
--   day_no               that day, counted from 1970-01-01 [d]
--   n_plays              plays of the seven days [count]
--   n_expected           plays by the median of the weeks before, at today's market [count]
--   n_plays_before       plays of the seven days before, null where none [count]
--   n_plays_long_before  plays of the seven days before those, null where none [count]
--   z                    how far above it, robustly [standard deviations]
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
        candidates.n_plays / candidates.n_listener_days as n_in_a_bunch,
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
        / greatest(spread, sqrt(n_in_a_bunch / n_expected)) / sqrt(1 + 1.57 / n_weeks) as z
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
