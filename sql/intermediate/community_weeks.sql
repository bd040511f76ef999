-- Who listens to each group of marts.communities in the last eight weeks: a group of recordings has the plays of its
-- recordings, a group of listeners those of its members.
-- grain: kind, community, user_id, weeks_ago
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   community  number of the group, within its kind
--   user_id    listener (pseudonymous id)
--   weeks_ago  0 for the last seven days, 7 for the first of the eight weeks [weeks]
--   n_plays    plays [count]
-- checks:
--   kind in ('listeners', 'tracks')
-- reconcile:
--   (select coalesce(max(n_plays), 0) from (select sum(n_plays) as n_plays from intermediate.community_weeks group by kind) as kinds) <= (select coalesce(sum(n_plays), 0) from intermediate.recent_weeks)
select
    members.kind,
    members.community,
    recent.user_id,
    recent.weeks_ago,
    cast(sum(recent.n_plays) as bigint) as n_plays
from marts.community_members as members
inner join intermediate.recent_weeks as recent on members.member_id = recent.track_id
where members.kind = 'tracks'
group by members.kind, members.community, recent.user_id, recent.weeks_ago
union all
select
    members.kind,
    members.community,
    recent.user_id,
    recent.weeks_ago,
    cast(sum(recent.n_plays) as bigint) as n_plays
from marts.community_members as members
inner join intermediate.recent_weeks as recent on members.member_id = recent.user_id
where members.kind = 'listeners'
group by members.kind, members.community, recent.user_id, recent.weeks_ago
