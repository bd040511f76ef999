-- Exposure and plays of each group of a label's recordings, and how the ratio of the two scatters with the listeners who are
-- drawn (the squared influence of each listener, added up; see marts.label_exposure).
-- grain: label_id, group_kind, group_name
-- rows: 0
-- columns:
--   label_id    label
--   group_kind  all, or as in marts.track_groups
--   group_name  all, or the group
--   n_shown     distinct listeners with any of them on their list [count]
--   n_players   distinct listeners who played any of them [count]
--   exposure    exposure of the places on all lists
--   n_plays     plays over all days [count]
--   spread      what the group adds to the variance of ln(ratio) beyond that of everybody, null where not shown or not played
-- checks:
--   n_shown > 0 or n_players > 0
-- reconcile:
--   (select count(*) from intermediate.label_group_exposure) <= (select count(*) from (select distinct label_id, group_kind, group_name from intermediate.label_groups) as groups)
with shares as (
    select
        groups.label_id,
        groups.group_kind,
        groups.group_name,
        meetings.user_id,
        sum(meetings.exposure) as exposure,
        sum(meetings.n_plays) as n_plays,
        sum(sum(meetings.exposure)) over (partition by groups.label_id, groups.group_kind, groups.group_name) as all_exposure,
        sum(sum(meetings.n_plays)) over (partition by groups.label_id, groups.group_kind, groups.group_name) as all_plays
    from intermediate.label_groups as groups
    inner join intermediate.shown_and_played as meetings on groups.track_id = meetings.track_id
    group by groups.label_id, groups.group_kind, groups.group_name, meetings.user_id
),

leanings as (
    select
        shares.label_id,
        shares.group_kind,
        shares.group_name,
        shares.exposure,
        shares.n_plays,
        shares.all_exposure,
        shares.all_plays,
        listeners.plays_beyond,
        shares.exposure / nullif(shares.all_exposure, 0) - shares.n_plays / nullif(shares.all_plays, 0) as leaning
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
    sum(leaning * (leaning + 2 * plays_beyond)) as spread
from leanings
group by label_id, group_kind, group_name
