-- Plays of each group of marts.communities per listener and week, over the last eight weeks. A group of recordings has
-- the plays of its recordings, a group of listeners those of its members.
-- grain: kind, community, user_id, weeks_ago
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   community  number of the group, within its kind
--   user_id    listener (pseudonymous id)
--   weeks_ago  0 for the last seven days of the log, 7 for the earliest of the eight weeks [weeks]
--   n_plays    plays [count]
-- checks:
--   kind in ('listeners', 'tracks')
-- reconcile:
--   (select coalesce(max(n_plays), 0) from (select sum(n_plays) as n_plays from intermediate.community_weeks group by kind) as kinds) <= (select coalesce(sum(n_plays), 0) from intermediate.recent_weeks)
with plays as (
    select
        'tracks' as kind,
        track_id as member_id,
        user_id,
        weeks_ago,
        n_plays
    from intermediate.recent_weeks
    union all
    select
        'listeners' as kind,
        user_id as member_id,
        user_id,
        weeks_ago,
        n_plays
    from intermediate.recent_weeks
)

select
    members.kind,
    members.community,
    plays.user_id,
    plays.weeks_ago,
    cast(sum(plays.n_plays) as bigint) as n_plays
from marts.community_members as members
inner join plays on members.kind = plays.kind and members.member_id = plays.member_id
group by members.kind, members.community, plays.user_id, plays.weeks_ago
