-- Exposure and plays of each group of recordings, and the sampling variance of their ratio over listeners (the squared
-- influence of each listener, summed; see marts.exposure).
-- grain: group_kind, group_name
-- rows: 0
-- columns:
--   group_kind  see marts.track_groups
--   group_name  the group
--   n_shown     distinct listeners with one of the recordings on their list [count]
--   n_players   distinct listeners who played one of the recordings [count]
--   exposure    exposure of the positions on all lists, summed
--   n_plays     plays over all days [count]
--   spread      variance of ln(ratio) that the group adds to that of all listeners, null where not shown or not played
-- checks:
--   n_shown > 0 or n_players > 0
-- reconcile:
--   (select coalesce(max(n_plays), 0) from (select sum(n_plays) as n_plays from intermediate.group_exposure group by group_kind) as kinds) = (select coalesce(sum(n_plays), 0) from marts.interactions)
with shares as (
    select
        track_groups.group_kind,
        track_groups.group_name,
        pairs.user_id,
        sum(pairs.exposure) as exposure,
        sum(pairs.n_plays) as n_plays,
        sum(sum(pairs.exposure)) over (partition by track_groups.group_kind, track_groups.group_name) as all_exposure,
        sum(sum(pairs.n_plays)) over (partition by track_groups.group_kind, track_groups.group_name) as all_plays
    from marts.track_groups as track_groups
    inner join intermediate.shown_and_played as pairs on track_groups.track_id = pairs.track_id
    group by track_groups.group_kind, track_groups.group_name, pairs.user_id
),

differences as (
    select
        shares.group_kind,
        shares.group_name,
        shares.exposure,
        shares.n_plays,
        shares.all_exposure,
        shares.all_plays,
        listeners.plays_beyond,
        shares.exposure / nullif(shares.all_exposure, 0) - shares.n_plays / nullif(shares.all_plays, 0) as difference
    from shares
    inner join intermediate.listener_shares as listeners on shares.user_id = listeners.user_id
)

select
    group_kind,
    group_name,
    count(case when exposure > 0 then 1 end) as n_shown,
    count(case when n_plays > 0 then 1 end) as n_players,
    max(all_exposure) as exposure,
    cast(max(all_plays) as bigint) as n_plays,
    sum(difference * (difference + 2 * plays_beyond)) as spread
from differences
group by group_kind, group_name
