-- What recommendations show of each label, beside what listeners play of it: all its recordings, and each group of them.
-- The ratio is its share of all exposure over its share of all plays: at 1, lists show as much of it as is played. Its 95 %
-- interval draws listeners again (linearised, on the logarithm): no chance where it leaves out 1. Exposure of a place is
-- 1 / log2(1 + rank), as in marts.exposure.
-- grain: label_id, group_kind, group_name
-- rows: 0
-- labels: label_id
-- people: n_listeners
-- parts: group_name
-- kept: n_tracks
-- columns:
--   label_id         label
--   group_kind       all, or as in marts.track_groups
--   group_name       all, or the group
--   n_tracks         its recordings in the catalogue [count]
--   n_shown          distinct listeners with any of them on their list [count]
--   n_players        distinct listeners who played any of them [count]
--   n_listeners      the smaller of the two [count]
--   listening_share  share of all plays, 0..1; null where nothing was played
--   exposure_share   share of all exposure, 0..1; null where no lists are published
--   ratio            exposure_share / listening_share, null where nobody was shown or played any [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
--   market_ratio     ratio of the group among all labels, null where fewer than three others have any of it [x]
-- checks:
--   n_listeners <= n_shown and n_listeners <= n_players
--   exposure_share is null or exposure_share between 0 and 1
--   low is null or low <= ratio and ratio <= high
-- reconcile:
--   (select coalesce(sum(n_tracks), 0) from marts.label_exposure where group_kind = 'all') = (select count(*) from marts.track_features where label_id is not null)
with everybody as (
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
    group by label_id, group_kind, group_name
),

market as (
    select
        group_kind,
        group_name,
        sum(exposure) as exposure,
        sum(n_plays) as n_plays
    from intermediate.label_group_exposure
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
        coalesce(sums.n_plays, 0) / nullif(everybody.n_plays, 0) as listening_share,
        coalesce(sums.exposure, 0) / nullif(everybody.exposure, 0) as exposure_share,
        sums.exposure / everybody.exposure / nullif(sums.n_plays / everybody.n_plays, 0) as ratio,
        exp(1.96 * sqrt(everybody.spread + sums.spread)) as wide,
        market.exposure / everybody.exposure / nullif(market.n_plays / everybody.n_plays, 0) as market_ratio
    from sizes
    cross join everybody
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
