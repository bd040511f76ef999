-- Who listens to each artist, over the last 28 days of the log, and which groups are overrepresented. The group of
-- dimension main_genre is the genre that a listener played most in these days, the first by name among equals. Affinity is
-- the group's share of the artist's listeners / its share of all listeners of these days: above 1, the group is
-- overrepresented.
-- grain: artist_id, dimension, value
-- rows: 0
-- columns:
--   artist_id    artist
--   dimension    country, gender, age_band or main_genre
--   value        the group, unknown included
--   n_listeners  distinct listeners with at least one play [count]
--   n_plays      plays [count]
--   share        share of the artist's listeners [0..1]
--   affinity     share / share among all listeners [x]
-- checks:
--   n_listeners between 1 and n_plays
--   share > 0 and share <= 1
--   affinity > 0
-- reconcile:
--   (select count(*) from (select artist_id, dimension, sum(share) as share from marts.artist_audience group by artist_id, dimension) as parts where abs(share - 1) > 1e-9) = 0
with genre_ranks as (
    select
        user_id,
        genre,
        row_number() over (partition by user_id order by sum(n_plays) desc, genre asc) as genre_rank
    from intermediate.recent_plays
    group by user_id, genre
),

groups as (
    -- noqa: disable=LT09,LT14
    select user_id, 'main_genre' as dimension, genre as value from genre_ranks where genre_rank = 1
    union all
    select user_id, dimension, value from intermediate.listener_groups
    -- noqa: enable=LT09,LT14
),

artist_listeners as (
    select
        artist_id,
        user_id,
        sum(n_plays) as n_plays
    from intermediate.recent_plays
    where artist_id is not null
    group by artist_id, user_id
),

all_listeners as (
    select
        groups.dimension,
        groups.value,
        1.0 * count(*) / sum(count(*)) over (partition by groups.dimension) as share
    from groups
    inner join genre_ranks on groups.user_id = genre_ranks.user_id and genre_ranks.genre_rank = 1
    group by groups.dimension, groups.value
),

audiences as (
    select
        artist_listeners.artist_id,
        groups.dimension,
        groups.value,
        count(*) as n_listeners,
        cast(sum(artist_listeners.n_plays) as bigint) as n_plays,
        1.0 * count(*) / sum(count(*)) over (partition by artist_listeners.artist_id, groups.dimension) as share
    from artist_listeners
    inner join groups on artist_listeners.user_id = groups.user_id
    group by artist_listeners.artist_id, groups.dimension, groups.value
)

select
    audiences.artist_id,
    audiences.dimension,
    audiences.value,
    audiences.n_listeners,
    audiences.n_plays,
    audiences.share,
    audiences.share / all_listeners.share as affinity
from audiences
inner join all_listeners on audiences.dimension = all_listeners.dimension and audiences.value = all_listeners.value
