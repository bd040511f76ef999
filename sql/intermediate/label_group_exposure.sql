-- Exposure and plays of each group of a label's recordings and of all recordings, and the sampling variance of their
-- ratio over listeners (the squared influence of each listener, summed; see marts.label_exposure).
-- grain: label_id, group_kind, group_name
-- rows: 0
-- columns:
--   label_id    label, '' for the groups of all recordings
--   group_kind  all, or a kind of marts.track_groups
--   group_name  all, or the group
--   n_shown     distinct listeners with one of the recordings on their list [count]
--   n_players   distinct listeners who played one of the recordings [count]
--   exposure    exposure of the positions on all lists, summed
--   n_plays     plays over all days [count]
--   spread      variance of ln(ratio) that the group adds to that of all listeners, null where not shown or not played
-- checks:
--   n_shown > 0 or n_players > 0
-- reconcile:
--   (select count(*) from intermediate.label_group_exposure) <= (select count(*) from (select distinct label_id, group_kind, group_name from intermediate.label_groups) as groups)
with shares as (
    select
        groups.label_id,
        groups.group_kind,
        groups.group_name,
        pairs.user_id,
        sum(pairs.exposure) as exposure,
        sum(pairs.n_plays) as n_plays,
        sum(sum(pairs.exposure)) over (partition by groups.label_id, groups.group_kind, groups.group_name) as all_exposure,
        sum(sum(pairs.n_plays)) over (partition by groups.label_id, groups.group_kind, groups.group_name) as all_plays
    from intermediate.label_groups as groups
    inner join intermediate.shown_and_played as pairs on groups.track_id = pairs.track_id
    group by groups.label_id, groups.group_kind, groups.group_name, pairs.user_id
),

differences as (
    select
        shares.label_id,
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
    label_id,
    group_kind,
    group_name,
    count(case when exposure > 0 then 1 end) as n_shown,
    count(case when n_plays > 0 then 1 end) as n_players,
    max(all_exposure) as exposure,
    cast(max(all_plays) as bigint) as n_plays,
    sum(difference * (difference + 2 * plays_beyond)) as spread
from differences
group by label_id, group_kind, group_name
