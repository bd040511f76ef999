-- Growth of the groups of marts.communities: the last 28 days of the log compared with the 28 before, as shares of the
-- market, so that a month in which everyone plays more does not count as growth. Growth is the ratio of the geometric
-- mean weekly shares of the two spans of four weeks; its 95 % interval comes from the scatter of the weeks (Student's
-- t, 6 degrees of freedom). A group of recordings has the plays and listeners of its recordings, a group of listeners
-- those of its members. A group is emerging if both listeners and plays grow, intervals included. Groups with fewer
-- than 20 listeners in either span are left out. Groups are computed from the whole log, so that recent recordings
-- belong to one once enough people play them.
-- grain: kind, community
-- rows: 0
-- columns:
--   kind                  listeners or tracks
--   community             number of the group within its kind
--   name                  name of the group
--   n_members             listeners or recordings in it [count]
--   n_listeners           distinct listeners of the last 28 days [count]
--   n_listeners_before    distinct listeners of the 28 days before [count]
--   n_plays               plays of the last 28 days [count]
--   n_plays_before        plays of the 28 days before [count]
--   listener_growth       share of weekly listeners / that share in the 28 days before [x]
--   listener_growth_low   lower end of its 95 % interval [x]
--   listener_growth_high  upper end of its 95 % interval [x]
--   play_growth           share of weekly plays / that share in the 28 days before [x]
--   play_growth_low       lower end of its 95 % interval [x]
--   play_growth_high      upper end of its 95 % interval [x]
--   is_emerging           whether both intervals lie above 1
-- checks:
--   n_listeners >= 20
--   n_listeners_before >= 20
--   listener_growth_low <= listener_growth and listener_growth <= listener_growth_high
--   play_growth_low <= play_growth and play_growth <= play_growth_high
-- reconcile:
--   (select count(*) from marts.emerging_clusters) <= (select count(*) from marts.communities)
with spans as (
    select
        kind,
        community,
        count(distinct case when weeks_ago < 4 then user_id end) as n_listeners,
        count(distinct case when weeks_ago >= 4 then user_id end) as n_listeners_before,
        cast(sum(case when weeks_ago < 4 then n_plays else 0 end) as bigint) as n_plays,
        cast(sum(case when weeks_ago >= 4 then n_plays else 0 end) as bigint) as n_plays_before
    from intermediate.community_weeks
    group by kind, community
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
inner join intermediate.community_growth as growths on groups.kind = growths.kind and groups.community = growths.community
where spans.n_listeners >= 20 and spans.n_listeners_before >= 20
