-- Countries in which each artist's and each label's music is played, in the last 28 days of the log: the country's share
-- of these plays, beside its share of all plays. The ratio of the two is above 1 where the music is played more than
-- other music. Its 95 % interval reflects the sample of listeners (delta method on ln(ratio), listeners as units); if it
-- excludes 1, the difference is unlikely to be chance. Unknown counts as a country.
-- grain: owner, owner_id, country
-- rows: 0
-- columns:
--   owner        artist or label
--   owner_id     the artist or the label
--   country      ISO 3166-1 alpha-2 or unknown
--   n_listeners  distinct listeners with at least one play [count]
--   n_plays      plays [count]
--   play_share   share of the plays of the artist or the label [0..1]
--   home_share   share of all plays [0..1]
--   ratio        play_share / home_share [x]
--   low          lower end of its 95 % interval [x]
--   high         upper end [x]
-- checks:
--   n_listeners between 1 and n_plays
--   play_share > 0 and play_share <= 1
--   low <= ratio and ratio <= high
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.markets where owner = 'artist') = (select coalesce(sum(n_plays), 0) from intermediate.recent_plays where artist_id is not null)
with countries as (
    select
        country,
        sum(home_share) as home_share,
        sum(home_share * home_share) as squares,
        sum(sum(home_share * home_share)) over () as all_squares
    from intermediate.market_listeners
    group by country
),

owners as (
    select
        plays.owner,
        plays.owner_id,
        listeners.country,
        count(*) as n_listeners,
        cast(sum(plays.n_plays) as bigint) as n_plays,
        sum(plays.owner_share) as play_share,
        sum(plays.owner_share * plays.owner_share) as squares,
        sum(plays.owner_share * listeners.home_share) as products
    from intermediate.owner_listeners as plays
    inner join intermediate.market_listeners as listeners on plays.user_id = listeners.user_id
    group by plays.owner, plays.owner_id, listeners.country
),

totals as (
    select
        owner,
        owner_id,
        sum(squares) as squares,
        sum(products) as products
    from owners
    group by owner, owner_id
),

-- A listener's influence on ln(ratio) is owner_share / play_share - owner_share - (home_share / all of the country -
-- home_share) inside the country, and home_share - owner_share outside; the variance is the sum of squares.
ratios as (
    select
        owners.owner,
        owners.owner_id,
        owners.country,
        owners.n_listeners,
        owners.n_plays,
        owners.play_share,
        countries.home_share,
        owners.play_share / countries.home_share as ratio,
        (1 / owners.play_share - 1) * (1 / owners.play_share - 1) * owners.squares
        - 2 * (1 / owners.play_share - 1) * (1 / countries.home_share - 1) * owners.products
        + (1 / countries.home_share - 1) * (1 / countries.home_share - 1) * countries.squares
        + totals.squares - owners.squares
        - 2 * (totals.products - owners.products)
        + countries.all_squares - countries.squares as variance
    from owners
    inner join totals on owners.owner = totals.owner and owners.owner_id = totals.owner_id
    inner join countries on owners.country = countries.country
)

select
    owner,
    owner_id,
    country,
    n_listeners,
    n_plays,
    least(round(play_share, 12), 1) as play_share,
    round(home_share, 12) as home_share,
    round(ratio, 9) as ratio,
    round(ratio / exp(1.96 * sqrt(greatest(variance, 0))), 9) as low,
    round(ratio * exp(1.96 * sqrt(greatest(variance, 0))), 9) as high
from ratios
