-- Which artists share listeners, over the last 28 days of the log. A listener counts for the 20 artists they played
-- most, the first by id among equals, so that the work grows with listeners and not with the square of their artists.
-- Pairs with fewer than ten shared listeners are left out. Affinity is shared listeners / the number expected if
-- artists were independent.
-- grain: artist_id, other_artist_id
-- rows: 0
-- columns:
--   artist_id        artist
--   other_artist_id  artist with shared listeners
--   n_listeners      listeners who count for both artists [count]
--   jaccard          listeners of both / listeners of either [0..1]
--   affinity         shared listeners / (listeners of one x listeners of the other / all listeners) [x]
-- checks:
--   n_listeners >= 10
--   jaccard > 0 and jaccard <= 1
--   artist_id <> other_artist_id
-- reconcile:
--   (select count(*) from marts.artist_overlap as pairs inner join marts.artist_overlap as turned on pairs.artist_id = turned.other_artist_id and pairs.other_artist_id = turned.artist_id and pairs.n_listeners = turned.n_listeners) = (select count(*) from marts.artist_overlap)
with plays as (
    select
        user_id,
        artist_id,
        row_number() over (partition by user_id order by sum(n_plays) desc, artist_id asc) as artist_no
    from intermediate.recent_plays
    where artist_id is not null
    group by user_id, artist_id
),

favourites as (
    select
        user_id,
        artist_id,
        count(*) over (partition by artist_id) as n_of_artist
    from plays
    where artist_no <= 20
),

market as (
    select count(distinct user_id) as n_listeners from favourites
),

pairs as (
    select
        one.artist_id,
        other.artist_id as other_artist_id,
        count(*) as n_listeners,
        max(one.n_of_artist) as n_of_one,
        max(other.n_of_artist) as n_of_other
    from favourites as one
    inner join favourites as other on one.user_id = other.user_id and one.artist_id <> other.artist_id
    group by one.artist_id, other.artist_id
    having count(*) >= 10
)

select
    pairs.artist_id,
    pairs.other_artist_id,
    pairs.n_listeners,
    1.0 * pairs.n_listeners / (pairs.n_of_one + pairs.n_of_other - pairs.n_listeners) as jaccard,
    1.0 * pairs.n_listeners * market.n_listeners / pairs.n_of_one / pairs.n_of_other as affinity
from pairs
cross join market
