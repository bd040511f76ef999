-- Exposure of each artist and each label in recommendations by the listeners' country, compared with plays: the ratio is the
-- share of the exposure on lists of the country's listeners / the share of the plays of the country's listeners. The 95 %
-- interval reflects the sample of listeners (delta method on ln(ratio)), as in marts.label_exposure; one that excludes 1
-- is unlikely to be chance. The exposure of a list position is 1 / log2(1 + rank). Unknown counts as a country.
-- grain: owner, owner_id, country
-- rows: 0
-- columns:
--   owner            artist or label
--   owner_id         the artist or the label
--   country          ISO 3166-1 alpha-2 or unknown
--   n_shown          distinct listeners with one of the recordings on their list [count]
--   n_players        distinct listeners who played one of the recordings [count]
--   listening_share  share of the country's plays, over all days, 0..1; null where nothing was played
--   exposure_share   share of the country's exposure, 0..1; null where no lists are published
--   ratio            exposure_share / listening_share, null where no listener was shown or played any [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
-- checks:
--   n_shown > 0 or n_players > 0
--   exposure_share is null or exposure_share between 0 and 1
--   low is null or low <= ratio and ratio <= high
-- reconcile:
--   (select coalesce(sum(n_shown), 0) from marts.country_exposure where owner = 'label') = (select coalesce(sum(n_shown), 0) from marts.label_exposure where group_kind = 'all')
with listeners as (
    select
        coalesce(profiles.country, 'unknown') as country,
        shares.user_id,
        shares.exposure / nullif(sum(shares.exposure) over of_country, 0) as exposure_part,
        shares.n_plays / nullif(sum(shares.n_plays) over of_country, 0) as plays_part,
        sum(shares.exposure) over of_country as all_exposure,
        sum(shares.n_plays) over of_country as all_plays
    from intermediate.listener_shares as shares
    left join marts.listener_profile as profiles on shares.user_id = profiles.user_id
    window of_country as (partition by coalesce(profiles.country, 'unknown'))
),

countries as (
    select
        country,
        max(all_exposure) as exposure,
        max(all_plays) as n_plays,
        sum((exposure_part - plays_part) * (exposure_part - plays_part)) as squares
    from listeners
    group by country
),

parts as (
    select
        owners.owner,
        owners.owner_id,
        listeners.country,
        owners.exposure,
        owners.n_plays,
        listeners.exposure_part - listeners.plays_part as beyond,
        owners.exposure / nullif(sum(owners.exposure) over of_country, 0)
        - owners.n_plays / nullif(sum(owners.n_plays) over of_country, 0) as difference
    from intermediate.owner_exposure as owners
    inner join listeners on owners.user_id = listeners.user_id
    window of_country as (partition by owners.owner, owners.owner_id, listeners.country)
),

sums as (
    select
        owner,
        owner_id,
        country,
        count(case when exposure > 0 then 1 end) as n_shown,
        count(case when n_plays > 0 then 1 end) as n_players,
        sum(exposure) as exposure,
        sum(n_plays) as n_plays,
        sum(difference * (difference - 2 * beyond)) as squares
    from parts
    group by owner, owner_id, country
),

ratios as (
    select
        sums.owner,
        sums.owner_id,
        sums.country,
        sums.n_shown,
        sums.n_players,
        sums.n_plays / nullif(countries.n_plays, 0) as listening_share,
        sums.exposure / nullif(countries.exposure, 0) as exposure_share,
        exp(1.96 * sqrt(greatest(sums.squares + countries.squares, 0))) as wide
    from sums
    inner join countries on sums.country = countries.country
)

select
    owner,
    owner_id,
    country,
    n_shown,
    n_players,
    round(listening_share, 12) as listening_share,
    round(exposure_share, 12) as exposure_share,
    case when n_shown > 0 and n_players > 0 then round(exposure_share / listening_share, 9) end as ratio,
    case when n_shown > 0 and n_players > 0 then round(exposure_share / listening_share / wide, 9) end as low,
    case when n_shown > 0 and n_players > 0 then round(exposure_share / listening_share * wide, 9) end as high
from ratios
