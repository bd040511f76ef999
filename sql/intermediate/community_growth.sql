-- Growth of each group of marts.communities: mean ln(share of the market) of the last four weeks minus that of the four
-- weeks before, and half the width of its 95 % interval from the scatter of the weeks (Student's t, 6 degrees of
-- freedom). Groups without plays in one of the eight weeks are left out.
-- grain: kind, community
-- rows: 0
-- columns:
--   kind            listeners or tracks
--   community       number of the group, within its kind
--   listeners       growth of ln(share of weekly listeners)
--   plays           growth of ln(share of weekly plays)
--   listeners_wide  half the width of the interval of listeners
--   plays_wide      half the width of the interval of plays
-- checks:
--   listeners_wide >= 0 and plays_wide >= 0
-- reconcile:
--   (select count(*) from intermediate.community_growth) <= (select count(*) from marts.communities)
with market as (
    select
        weeks_ago,
        count(distinct user_id) as n_listeners,
        sum(n_plays) as n_plays
    from intermediate.recent_weeks
    group by weeks_ago
),

weeks as (
    select
        plays.kind,
        plays.community,
        case when plays.weeks_ago < 4 then 1 else 0 end as is_now,
        ln(1.0 * count(*) / market.n_listeners) as listeners,
        ln(1.0 * sum(plays.n_plays) / market.n_plays) as plays
    from intermediate.community_weeks as plays
    inner join market on plays.weeks_ago = market.weeks_ago
    group by plays.kind, plays.community, plays.weeks_ago, market.n_listeners, market.n_plays
),

centred as (
    select
        kind,
        community,
        is_now,
        listeners,
        plays,
        listeners - avg(listeners) over (partition by kind, community, is_now) as listeners_off,
        plays - avg(plays) over (partition by kind, community, is_now) as plays_off
    from weeks
)

select
    kind,
    community,
    sum(case when is_now = 1 then listeners else -listeners end) / 4 as listeners,
    sum(case when is_now = 1 then plays else -plays end) / 4 as plays,
    2.447 * sqrt(sum(listeners_off * listeners_off) / 6 / 2) as listeners_wide,
    2.447 * sqrt(sum(plays_off * plays_off) / 6 / 2) as plays_wide
from centred
group by kind, community
having count(*) = 8
