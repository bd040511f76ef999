-- Recordings whose plays break out, per day. Plays of seven days, so that every weekday counts once, are compared with
-- the up to eight weeks before, as shares of all plays, so that a day on which everything rises is no breakout: z = (ln
-- of this week's plays - ln of the expected plays) / error. The error is the greater of 1.4826 x the median absolute
-- deviation of the weeks before and the counting noise (plays come in clusters of plays / listener-days), widened for
-- the few weeks of the baseline. A breakout has z >= 4, at least twice the expected plays, 20 listeners from 3
-- countries, and 1.5 times the listener-days of the week before. It was first played at least 20 days and released at
-- least 28 days earlier, so that a new release does not count.
-- grain: track_id, listen_date
-- rows: 0
-- columns:
--   track_id      recording
--   listen_date   last of the seven days (market time zone)
--   started_on    first day of this series of breakout days; a new series begins after a week without any
--   n_listeners   distinct listeners of the seven days [count]
--   n_countries   distinct countries of these listeners; unknown is none [count]
--   n_plays       plays of the seven days [count]
--   n_expected    expected plays: the median share of the weeks before x plays of all recordings in the seven days [count]
--   z             robust z-score of the seven days [standard deviations]
--   velocity      plays / plays of the seven days before, null where none [x]
--   acceleration  velocity / velocity one week earlier, null where none [x]
-- checks:
--   z >= 4
--   n_listeners >= 20
--   started_on <= listen_date
-- reconcile:
--   (select count(*) from marts.breakouts as breakouts left join marts.track_daily as daily on breakouts.track_id = daily.track_id and breakouts.listen_date = daily.listen_date where daily.track_id is null) = 0
with audiences as (
    select
        scores.track_id,
        scores.listen_date,
        count(distinct daily.user_id) as n_listeners,
        count(distinct case when profiles.country <> 'unknown' then profiles.country end) as n_countries
    from intermediate.breakout_scores as scores
    inner join marts.interactions_daily as daily
        on scores.track_id = daily.track_id and daily.listen_date between scores.listen_date - 6 and scores.listen_date
    inner join marts.listener_profile as profiles on daily.user_id = profiles.user_id
    where daily.n_plays > 0
    group by scores.track_id, scores.listen_date
),

qualified as (
    select
        scores.track_id,
        scores.listen_date,
        audiences.n_listeners,
        audiences.n_countries,
        scores.n_plays,
        scores.n_expected,
        scores.z,
        scores.n_plays_before,
        scores.n_plays_long_before,
        case
            when scores.day_no - 7 <= lag(scores.day_no) over (partition by scores.track_id order by scores.day_no asc)
                then null
            else scores.listen_date
        end as started_on
    from intermediate.breakout_scores as scores
    inner join audiences on scores.track_id = audiences.track_id and scores.listen_date = audiences.listen_date
    where audiences.n_listeners >= 20 and audiences.n_countries >= 3
)

select
    track_id,
    listen_date,
    max(started_on) over (partition by track_id order by listen_date asc) as started_on,
    n_listeners,
    n_countries,
    n_plays,
    n_expected,
    z,
    n_plays / nullif(n_plays_before, 0) as velocity,
    n_plays / nullif(n_plays_before, 0) / nullif(n_plays_before / nullif(n_plays_long_before, 0), 0) as acceleration
from qualified
