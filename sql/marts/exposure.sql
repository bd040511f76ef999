-- Exposure of each group of recordings: its share of what published lists show, beside its shares of the catalogue and
-- of plays. The exposure of a list position is 1 / log2(1 + rank), summed over all lists. Small differences of a small
-- group may be chance; marts.group_metrics has intervals.
-- grain: group_kind, group_name
-- columns:
--   group_kind       see marts.track_groups
--   group_name       the group
--   n_tracks         recordings in the catalogue [count]
--   n_listed         recordings on at least one list [count]
--   n_places         list positions [count]
--   catalogue_share  share of recordings, 0..1
--   listening_share  share of plays, 0..1; null where nothing was played
--   exposure_share   share of exposure, 0..1; null where no lists are published
--   target_share     least share of exposure that the recipe sets, null where it sets none
-- checks:
--   n_listed <= n_tracks
--   catalogue_share between 0 and 1
--   exposure_share is null or exposure_share between 0 and 1
-- reconcile:
--   (select coalesce(max(n_places), 0) from (select sum(n_places) as n_places from marts.exposure group by group_kind)) = (select count(*) from marts.recommendations)
with shown as (
    select
        track_id,
        count(*) as n_places,
        sum(ln(2) / ln(1 + rank)) as exposure
    from marts.recommendations
    group by track_id
),

played as (
    select
        track_id,
        sum(n_plays) as n_plays
    from marts.interactions
    group by track_id
),

groups as (
    select
        track_groups.group_kind,
        track_groups.group_name,
        count(*) as n_tracks,
        count(shown.track_id) as n_listed,
        cast(coalesce(sum(shown.n_places), 0) as bigint) as n_places,
        coalesce(sum(shown.exposure), 0) as exposure,
        coalesce(sum(played.n_plays), 0) as n_plays
    from marts.track_groups as track_groups
    left join shown on track_groups.track_id = shown.track_id
    left join played on track_groups.track_id = played.track_id
    group by track_groups.group_kind, track_groups.group_name
)

select
    groups.group_kind,
    groups.group_name,
    groups.n_tracks,
    groups.n_listed,
    groups.n_places,
    groups.n_tracks / sum(groups.n_tracks) over (partition by groups.group_kind) as catalogue_share,
    groups.n_plays / nullif(sum(groups.n_plays) over (partition by groups.group_kind), 0) as listening_share,
    round(
        groups.exposure / nullif(sum(groups.exposure) over (partition by groups.group_kind), 0), 12
    ) as exposure_share,
    targets.target_share
from groups
left join marts.exposure_targets as targets
    on groups.group_kind = targets.group_kind and groups.group_name = targets.group_name
