-- Which groups of marts.communities grow: the last 28 days of the log beside the 28 before, as shares of the market, so that
-- a month in which everybody plays more lifts nobody. Each span is four weeks; growth is the ratio of their mean
-- ln(share), its interval by the weeks' own scatter (Student's t, 6 degrees of freedom, 95 %). A group of recordings has
-- the plays and listeners of its recordings, a group of listeners those of its members. A group emerges where listeners
-- and plays both grow, intervals included; groups under 20 listeners in either span are left out. Groups are of the whole
-- log: recordings of the last weeks are in them where enough people play them.
-- grain: kind, community
-- rows: 0
-- columns:
--   kind                  listeners or tracks
--   community             number of the group, within its kind
--   name                  its name
--   n_members             listeners or recordings in it [count]
--   n_listeners           distinct listeners of the last 28 days [count]
--   n_listeners_before    of the 28 days before [count]
--   n_plays               plays of the last 28 days [count]
--   n_plays_before        of the 28 days before [count]
--   listener_growth       weekly listeners as a share of all, times the share before [x]
--   listener_growth_low   lower end of its interval [x]
--   listener_growth_high  upper end [x]
--   play_growth           weekly plays as a share of all, times the share before [x]
--   play_growth_low       lower end of its interval [x]
--   play_growth_high      upper end [x]
--   is_emerging           whether both intervals lie above 1
-- checks:
--   n_listeners >= 20
--   n_listeners_before >= 20
--   listener_growth_low <= listener_growth and listener_growth <= listener_growth_high
--   play_growth_low <= play_growth and play_growth <= play_growth_high
-- reconcile:
--   (select count(*) from marts.emerging_clusters) <= (select count(*) from marts.communities)
with last_day as (
    select max(listen_date) as listen_date
    from marts.interactions_daily
),

recent as (
    select
        daily.user_id,
        daily.track_id,
        floor((epoch(cast(last_day.listen_date as timestamp)) - epoch(cast(daily.listen_date as timestamp))) / 604800) as weeks_ago,
        sum(daily.n_plays) as n_plays
    from marts.interactions_daily as daily
    cross join last_day
    where daily.n_plays > 0 and daily.listen_date > last_day.listen_date - 56
    group by
        daily.user_id,
        daily.track_id,
        floor((epoch(cast(last_day.listen_date as timestamp)) - epoch(cast(daily.listen_date as timestamp))) / 604800)
),

market as (
    select
        weeks_ago,
        count(distinct user_id) as n_listeners,
        sum(n_plays) as n_plays
    from recent
    group by weeks_ago
),

heard as (
    select
        members.kind,
        members.community,
        recent.user_id,
        recent.weeks_ago,
        recent.n_plays,
        case when recent.weeks_ago < 4 then 1 else 0 end as is_now
    from marts.community_members as members
    inner join recent on members.member_id = recent.track_id
    where members.kind = 'tracks'
    union all
    select
        members.kind,
        members.community,
        recent.user_id,
        recent.weeks_ago,
        recent.n_plays,
        case when recent.weeks_ago < 4 then 1 else 0 end as is_now
    from marts.community_members as members
    inner join recent on members.member_id = recent.user_id
    where members.kind = 'listeners'
),

spans as (
    select
        kind,
        community,
        count(distinct case when is_now = 1 then user_id end) as n_listeners,
        count(distinct case when is_now = 0 then user_id end) as n_listeners_before,
        cast(sum(is_now * n_plays) as bigint) as n_plays,
        cast(sum((1 - is_now) * n_plays) as bigint) as n_plays_before
    from heard
    group by kind, community
),

weeks as (
    select
        heard.kind,
        heard.community,
        heard.is_now,
        ln(1.0 * count(distinct heard.user_id) / market.n_listeners) as listeners,
        ln(1.0 * sum(heard.n_plays) / market.n_plays) as plays
    from heard
    inner join market on heard.weeks_ago = market.weeks_ago
    group by heard.kind, heard.community, heard.is_now, heard.weeks_ago, market.n_listeners, market.n_plays
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
),

growths as (
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
)

select
    groups.kind,
    groups.community,
    groups.name,
    groups.n_members,
    spans.n_listeners,
    spans.n_listeners_before,
    spans.n_plays,
    spans.n_plays_before,
    exp(growths.listeners) as listener_growth,
    exp(growths.listeners - growths.listeners_wide) as listener_growth_low,
    exp(growths.listeners + growths.listeners_wide) as listener_growth_high,
    exp(growths.plays) as play_growth,
    exp(growths.plays - growths.plays_wide) as play_growth_low,
    exp(growths.plays + growths.plays_wide) as play_growth_high,
    least(growths.listeners - growths.listeners_wide, growths.plays - growths.plays_wide) > 1e-9 as is_emerging
from marts.communities as groups
inner join spans on groups.kind = spans.kind and groups.community = spans.community
inner join growths on groups.kind = growths.kind and groups.community = growths.community
where spans.n_listeners >= 20 and spans.n_listeners_before >= 20
