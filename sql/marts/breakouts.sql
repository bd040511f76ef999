-- Recordings that rise all at once, day by day. Plays of seven days, so that every weekday counts once, are held against
-- the up to eight weeks before them, all as shares of the market's plays, so that a day on which everything rises is no
-- breakout: z = (ln of this week - their median) / spread; the spread is the greater of 1.4826 x their median deviation
-- and the noise of counting (plays come in bunches of plays / listener-days), widened for the weeks it is learned from.
-- A breakout has z >= 4, twice the expected plays, 20 listeners from 3 countries, and half as many listener-days again as
-- the week before; it was released, or first heard, four or three weeks before: a release that ramps up is none.
-- grain: track_id, listen_date
-- rows: 0
-- labels: track_id
-- people: n_listeners
-- parts: listen_date
-- kept: started_on, n_countries
-- columns:
--   track_id      recording
--   listen_date   last of the seven days (market's clock)
--   started_on    first day of this run of such days; a new run begins after a week without any
--   n_listeners   distinct listeners of the seven days [count]
--   n_countries   countries they told, unknown is one [count]
--   n_plays       plays of the seven days [count]
--   n_expected    plays by the median of the weeks before, at today's market [count]
--   z             how far above it, robustly [standard deviations]
--   velocity      plays / plays of the seven days before, null where none [x]
--   acceleration  velocity / velocity a week earlier, null where none [x]
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
        count(distinct profiles.country) as n_countries
    from intermediate.breakout_scores as scores
    inner join marts.interactions_daily as daily
        on scores.track_id = daily.track_id and daily.listen_date between scores.listen_date - 6 and scores.listen_date
    inner join marts.listener_profile as profiles on daily.user_id = profiles.user_id
    where daily.n_plays > 0
    group by scores.track_id, scores.listen_date
),

risen as (
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
from risen
