-- Baseline of each breakout candidate: ln of the recording's share of all plays, in up to eight earlier weeks that end
-- on the same weekday.
-- grain: track_id, day_no
-- rows: 0
-- columns:
--   track_id  recording
--   day_no    last day of the candidate's week as a number, counted from 1970-01-01 [d]
--   n_weeks   weeks in the baseline [count]
--   level     median of ln((plays + 1) / plays of all recordings)
--   spread    1.4826 x the median absolute deviation from level, a robust standard deviation
-- checks:
--   n_weeks between 1 and 8
--   spread >= 0
-- reconcile:
--   (select count(*) from intermediate.breakout_histories) <= (select count(*) from intermediate.breakout_candidates)
with weeks as (
    select
        candidates.track_id,
        candidates.day_no,
        market.day_no as week_end,
        ln(coalesce(sum(days.n_plays), 0) + 1) - ln(market.n_plays) as level
    from intermediate.breakout_candidates as candidates
    inner join intermediate.market_days as market
        on
            market.day_no between candidates.day_no - 56 and candidates.day_no - 7
            and (candidates.day_no - market.day_no) % 7 = 0
            and market.day_no - 6 >= candidates.known_from
    left join marts.track_daily as days
        on
            candidates.track_id = days.track_id
            and days.listen_date between candidates.listen_date - cast(candidates.day_no - market.day_no + 6 as integer)
            and candidates.listen_date - cast(candidates.day_no - market.day_no as integer)
    group by candidates.track_id, candidates.day_no, market.day_no, market.n_plays
),

medians as (
    select
        track_id,
        day_no,
        count(*) as n_weeks,
        median(level) as level
    from weeks
    group by track_id, day_no
)

select
    medians.track_id,
    medians.day_no,
    medians.n_weeks,
    medians.level,
    1.4826 * median(abs(weeks.level - medians.level)) as spread
from medians
inner join weeks on medians.track_id = weeks.track_id and medians.day_no = weeks.day_no
group by medians.track_id, medians.day_no, medians.n_weeks, medians.level
