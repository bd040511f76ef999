-- Exposure of each label in recommendations compared with its plays: all its recordings, and each group of them. The
-- ratio is the label's share of all exposure / its share of all plays: at 1, lists show as much of it as is played. The
-- 95 % interval reflects the sample of listeners (delta method on ln(ratio)); an interval that excludes 1 is unlikely
-- to be chance. The exposure of a list position is 1 / log2(1 + rank), as in marts.exposure.
-- grain: label_id, group_kind, group_name
-- rows: 0
-- columns:
--   label_id         label
--   group_kind       all, or a kind of marts.track_groups
--   group_name       all, or the group
--   n_tracks         recordings of the label in the catalogue [count]
--   n_shown          distinct listeners with one of the recordings on their list [count]
--   n_players        distinct listeners who played one of the recordings [count]
--   n_listeners      the smaller of n_shown and n_players [count]
--   listening_share  share of all plays, 0..1; null where nothing was played
--   exposure_share   share of all exposure, 0..1; null where no lists are published
--   ratio            exposure_share / listening_share, null where no listener was shown or played any [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
--   market_ratio     ratio of the group over all labels, null where fewer than three other labels have recordings in it [x]
-- checks:
--   n_listeners <= n_shown and n_listeners <= n_players
--   exposure_share is null or exposure_share between 0 and 1
--   low is null or low <= ratio and ratio <= high
-- reconcile:
--   (select coalesce(sum(n_tracks), 0) from marts.label_exposure where group_kind = 'all') = (select count(*) from marts.track_features where label_id is not null)
with market_total as (
    select
        sum(exposure) as exposure,
        sum(n_plays) as n_plays,
        sum(plays_beyond * plays_beyond) as spread
    from intermediate.listener_shares
),

sizes as (
    select
        label_id,
        group_kind,
        group_name,
        count(*) as n_tracks,
        count(*) over (partition by group_kind, group_name) - 1 as n_other_labels
    from intermediate.label_groups
    where label_id <> ''
    group by label_id, group_kind, group_name
),

market as (
    select
        group_kind,
        group_name,
        sum(exposure) as exposure,
        sum(n_plays) as n_plays
    from intermediate.label_group_exposure
    where label_id <> ''
    group by group_kind, group_name
),

ratios as (
    select
        sizes.label_id,
        sizes.group_kind,
        sizes.group_name,
        sizes.n_tracks,
        sizes.n_other_labels,
        coalesce(sums.n_shown, 0) as n_shown,
        coalesce(sums.n_players, 0) as n_players,
        coalesce(sums.n_plays, 0) / nullif(market_total.n_plays, 0) as listening_share,
        coalesce(sums.exposure, 0) / nullif(market_total.exposure, 0) as exposure_share,
        sums.exposure / nullif(market_total.exposure, 0) / nullif(sums.n_plays / nullif(market_total.n_plays, 0), 0) as ratio,
        exp(1.96 * sqrt(greatest(market_total.spread + sums.spread, 0))) as wide,
        market.exposure / nullif(market_total.exposure, 0) / nullif(market.n_plays / nullif(market_total.n_plays, 0), 0) as market_ratio
    from sizes
    cross join market_total
    left join intermediate.label_group_exposure as sums
        on sizes.label_id = sums.label_id and sizes.group_kind = sums.group_kind and sizes.group_name = sums.group_name
    left join market on sizes.group_kind = market.group_kind and sizes.group_name = market.group_name
)

select
    label_id,
    group_kind,
    group_name,
    n_tracks,
    n_shown,
    n_players,
    least(n_shown, n_players) as n_listeners,
    round(listening_share, 12) as listening_share,
    round(exposure_share, 12) as exposure_share,
    case when n_shown > 0 and n_players > 0 then round(ratio, 9) end as ratio,
    case when n_shown > 0 and n_players > 0 then round(ratio / wide, 9) end as low,
    case when n_shown > 0 and n_players > 0 then round(ratio * wide, 9) end as high,
    case when n_other_labels >= 3 then round(market_ratio, 9) end as market_ratio
from ratios
