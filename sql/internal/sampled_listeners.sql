-- Three sample listeners with a list: the longest history, the shortest history, and no plays. Genre is the one they
-- played most over all days.
with listeners as (
    select
        profiles.user_id,
        profiles.n_tracks,
        profiles.n_plays
    from marts.listener_profile as profiles
    where profiles.user_id in (select lists.user_id from marts.recommendations as lists)
),

genre_plays as (
    select
        interactions.user_id,
        tracks.genre,
        sum(interactions.n_plays) as n_plays
    from marts.interactions as interactions
    inner join marts.track_features as tracks on interactions.track_id = tracks.track_id
    where tracks.genre is not null and interactions.n_plays > 0
    group by interactions.user_id, tracks.genre
),

genre_ranks as (
    select
        user_id,
        genre,
        row_number() over (partition by user_id order by n_plays desc, genre asc) as genre_rank
    from genre_plays
),

ranked as (
    select
        user_id,
        n_tracks,
        n_plays,
        row_number() over (partition by n_tracks > 0 order by n_tracks desc, n_plays desc, user_id asc) as longest_no,
        row_number() over (partition by n_tracks > 0 order by n_tracks asc, n_plays asc, user_id asc) as shortest_no
    from listeners
),

chosen as (
    select
        1 as sample_no,
        'longest history' as history,
        user_id,
        n_tracks,
        n_plays
    from ranked
    where n_tracks > 0 and longest_no = 1
    union all
    select
        2 as sample_no,
        'shortest history' as history,
        user_id,
        n_tracks,
        n_plays
    from ranked
    where n_tracks > 0 and shortest_no = 1
    union all
    select
        3 as sample_no,
        'no plays yet' as history,
        user_id,
        n_tracks,
        n_plays
    from ranked
    where n_tracks = 0 and shortest_no = 1
)

select
    chosen.history,
    chosen.user_id,
    chosen.n_tracks,
    chosen.n_plays,
    favourites.genre
from chosen
left join genre_ranks as favourites on chosen.user_id = favourites.user_id and favourites.genre_rank = 1
order by chosen.sample_no asc
