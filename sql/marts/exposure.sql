-- Exposure of each group of recordings: its share of what published lists show, beside its shares of the catalogue and
-- of plays. The exposure of a list position is 1 / log2(1 + rank), summed over all lists. The ratio is the group's
-- share of exposure / its share of plays: at 1, lists show as much of it as is played. The 95 % interval reflects the
-- sample of listeners (delta method on ln(ratio)), as in marts.label_exposure; an interval that excludes 1 is unlikely
-- to be chance. Groups, plays and lists are of the same day, the last of the log.
-- grain: group_kind, group_name
-- columns:
--   group_kind       see marts.track_groups
--   group_name       the group
--   n_tracks         recordings in the catalogue [count]
--   n_listed         recordings on at least one list [count]
--   n_places         list positions [count]
--   n_shown          distinct listeners with one of the recordings on their list [count]
--   n_players        distinct listeners who played one of the recordings [count]
--   catalogue_share  share of recordings, 0..1
--   listening_share  share of plays, 0..1; null where nothing was played
--   exposure_share   share of exposure, 0..1; null where no lists are published
--   target_share     least share of exposure that the recipe sets, null where it sets none
--   ratio            exposure_share / listening_share, null where no listener was shown or played any [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
-- checks:
--   n_listed <= n_tracks
--   n_shown <= n_places
--   catalogue_share between 0 and 1
--   exposure_share is null or exposure_share between 0 and 1
--   low is null or low <= ratio and ratio <= high
-- reconcile:
--   (select coalesce(max(n_places), 0) from (select sum(n_places) as n_places from marts.exposure group by group_kind)) = (select count(*) from marts.recommendations)
with market as (
    select
        sum(exposure) as exposure,
        sum(n_plays) as n_plays,
        sum(plays_beyond * plays_beyond) as spread
    from intermediate.listener_shares
),

shown as (
    select
        track_id,
        count(*) as n_places
    from marts.recommendations
    group by track_id
),

sizes as (
    select
        track_groups.group_kind,
        track_groups.group_name,
        count(*) as n_tracks,
        count(shown.track_id) as n_listed,
        cast(coalesce(sum(shown.n_places), 0) as bigint) as n_places
    from marts.track_groups as track_groups
    left join shown on track_groups.track_id = shown.track_id
    group by track_groups.group_kind, track_groups.group_name
),

ratios as (
    select
        sizes.group_kind,
        sizes.group_name,
        sizes.n_tracks,
        sizes.n_listed,
        sizes.n_places,
        coalesce(sums.n_shown, 0) as n_shown,
        coalesce(sums.n_players, 0) as n_players,
        sizes.n_tracks / sum(sizes.n_tracks) over (partition by sizes.group_kind) as catalogue_share,
        coalesce(sums.n_plays, 0) / nullif(market.n_plays, 0) as listening_share,
        coalesce(sums.exposure, 0) / nullif(market.exposure, 0) as exposure_share,
        sums.exposure / nullif(market.exposure, 0) / nullif(sums.n_plays / nullif(market.n_plays, 0), 0) as ratio,
        exp(1.96 * sqrt(greatest(market.spread + sums.spread, 0))) as wide
    from sizes
    cross join market
    left join intermediate.label_group_exposure as sums
        on sums.label_id = '' and sizes.group_kind = sums.group_kind and sizes.group_name = sums.group_name
)

select
    ratios.group_kind,
    ratios.group_name,
    ratios.n_tracks,
    ratios.n_listed,
    ratios.n_places,
    ratios.n_shown,
    ratios.n_players,
    ratios.catalogue_share,
    ratios.listening_share,
    round(ratios.exposure_share, 12) as exposure_share,
    targets.target_share,
    case when ratios.n_shown > 0 and ratios.n_players > 0 then round(ratios.ratio, 9) end as ratio,
    case when ratios.n_shown > 0 and ratios.n_players > 0 then round(ratios.ratio / ratios.wide, 9) end as low,
    case when ratios.n_shown > 0 and ratios.n_players > 0 then round(ratios.ratio * ratios.wide, 9) end as high
from ratios
left join marts.exposure_targets as targets
    on ratios.group_kind = targets.group_kind and ratios.group_name = targets.group_name
