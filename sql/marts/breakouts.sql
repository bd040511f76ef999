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
with days as (
    select
        track_id,
        listen_date,
        cast(epoch(cast(listen_date as timestamp)) / 86400 as bigint) as day_no,
        n_plays,
        n_listeners
    from marts.track_daily
),

market as (
    select
        day_no,
        sum(sum(n_plays)) over (order by day_no asc range between 6 preceding and current row) as n_plays,
        min(day_no) over () as first_day
    from days
    group by day_no
),

windows as (
    select
        track_id,
        listen_date,
        day_no,
        min(day_no) over (partition by track_id) as first_day,
        sum(n_plays) over this_week as n_plays,
        sum(n_listeners) over this_week as n_listener_days,
        sum(n_plays) over last_week as n_plays_before,
        sum(n_listeners) over last_week as n_listener_days_before,
        sum(n_plays) over week_before as n_plays_long_before
    from days
    window
        this_week as (partition by track_id order by day_no range between 6 preceding and current row),
        last_week as (partition by track_id order by day_no range between 13 preceding and 7 preceding),
        week_before as (partition by track_id order by day_no range between 20 preceding and 14 preceding)
),

candidates as (
    select
        windows.track_id,
        windows.listen_date,
        windows.day_no,
        windows.n_plays,
        windows.n_listener_days,
        windows.n_plays_before,
        windows.n_plays_long_before,
        greatest(
            market.first_day,
            coalesce(cast(epoch(cast(tracks.release_date as timestamp)) / 86400 as bigint), windows.first_day)
        ) as known_from,
        market.n_plays as n_market
    from windows
    inner join market on windows.day_no = market.day_no
    inner join marts.track_features as tracks on windows.track_id = tracks.track_id
    where
        windows.n_listener_days >= 20
        and windows.n_listener_days >= 1.5 * coalesce(windows.n_listener_days_before, 0)
        and windows.day_no >= windows.first_day + 20
        and (tracks.release_date is null or windows.listen_date >= tracks.release_date + 28)
),

weeks as (
    select
        candidates.track_id,
        candidates.day_no,
        market.day_no as week_end,
        ln(coalesce(sum(days.n_plays), 0) + 1) - ln(market.n_plays) as level
    from candidates
    inner join market
        on
            market.day_no between candidates.day_no - 56 and candidates.day_no - 7
            and (candidates.day_no - market.day_no) % 7 = 0
            and market.day_no - 6 >= candidates.known_from
    left join days on candidates.track_id = days.track_id and days.day_no between market.day_no - 6 and market.day_no
    group by candidates.track_id, candidates.day_no, market.day_no, market.n_plays
),

ordered as (
    select
        track_id,
        day_no,
        level,
        row_number() over (partition by track_id, day_no order by level asc, week_end asc) as place,
        count(*) over (partition by track_id, day_no) as n_weeks
    from weeks
),

medians as (
    select
        track_id,
        day_no,
        avg(level) as level
    from ordered
    where place * 2 between n_weeks and n_weeks + 2
    group by track_id, day_no
),

deviations as (
    select
        ordered.track_id,
        ordered.day_no,
        ordered.n_weeks,
        medians.level,
        abs(ordered.level - medians.level) as deviation,
        row_number() over (
            partition by ordered.track_id, ordered.day_no order by abs(ordered.level - medians.level) asc
        ) as place
    from ordered
    inner join medians on ordered.track_id = medians.track_id and ordered.day_no = medians.day_no
),

histories as (
    select
        track_id,
        day_no,
        max(n_weeks) as n_weeks,
        max(level) as level,
        1.4826 * avg(deviation) as spread
    from deviations
    where place * 2 between n_weeks and n_weeks + 2
    group by track_id, day_no
),

expected as (
    select
        candidates.track_id,
        candidates.listen_date,
        candidates.day_no,
        candidates.n_plays,
        candidates.n_plays_before,
        candidates.n_plays_long_before,
        candidates.n_plays / candidates.n_listener_days as n_in_a_bunch,
        exp(histories.level) * candidates.n_market as n_expected,
        histories.spread,
        histories.n_weeks
    from candidates
    inner join histories on candidates.track_id = histories.track_id and candidates.day_no = histories.day_no
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
),

audiences as (
    select
        scored.track_id,
        scored.listen_date,
        count(distinct daily.user_id) as n_listeners,
        count(distinct profiles.country) as n_countries
    from scored
    inner join marts.interactions_daily as daily
        on scored.track_id = daily.track_id and daily.listen_date between scored.listen_date - 6 and scored.listen_date
    inner join marts.listener_profile as profiles on daily.user_id = profiles.user_id
    where scored.z >= 4 and daily.n_plays > 0
    group by scored.track_id, scored.listen_date
),

risen as (
    select
        scored.track_id,
        scored.listen_date,
        scored.day_no,
        audiences.n_listeners,
        audiences.n_countries,
        scored.n_plays,
        scored.n_expected,
        scored.z,
        scored.n_plays_before,
        scored.n_plays_long_before,
        case
            when scored.day_no - 7 <= lag(scored.day_no) over (partition by scored.track_id order by scored.day_no asc)
                then null
            else scored.listen_date
        end as started_on
    from scored
    inner join audiences on scored.track_id = audiences.track_id and scored.listen_date = audiences.listen_date
    where audiences.n_listeners >= 20 and audiences.n_countries >= 3
)

select
    track_id,
    listen_date,
    max(started_on) over (partition by track_id order by listen_date asc) as started_on,
    n_listeners,
    n_countries,
    cast(n_plays as bigint) as n_plays,
    n_expected,
    z,
    n_plays / nullif(n_plays_before, 0) as velocity,
    n_plays / nullif(n_plays_before, 0) / nullif(n_plays_before / nullif(n_plays_long_before, 0), 0) as acceleration
from risen
