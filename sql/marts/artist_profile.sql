-- What is known of each artist, and their reach over all days. An artist that only a recording mentions is a stub:
-- is_known is false.
-- grain: artist_id
-- rows: 0
-- labels: artist_id
-- listening: n_listeners, n_plays, n_skips, first_date, last_date
-- columns:
--   artist_id    artist
--   name         artist name as delivered, null for a stub
--   gender       female, male, nonbinary, mixed or unknown
--   artist_type  person, group or unknown
--   country      ISO 3166-1 alpha-2 or unknown
--   isni         ISNI, null where none or wrong
--   ipi          IPI name number as a writer, null where none or wrong
--   main_genre   genre of most of their recordings, the first by name among equals
--   n_tracks     recordings in the catalogue [count]
--   n_listeners  distinct listeners with at least one play [count]
--   n_plays      plays [count]
--   n_skips      skips [count]
--   first_date   day of the first play, null where never played
--   last_date    day of the last play, null where never played
--   is_known     whether the artists file describes them
-- checks:
--   n_plays >= n_listeners
--   n_listeners = 0 or first_date <= last_date
-- reconcile:
--   (select count(*) from marts.artist_profile) >= (select count(*) from staging.artists)
--   (select coalesce(sum(n_tracks), 0) from marts.artist_profile) = (select count(*) from staging.tracks)
with mentioned as (
    select artist_id from staging.artists
    union distinct
    select artist_id from staging.tracks
),

genre_counts as (
    select
        artist_id,
        genre,
        count(*) as n_tracks
    from marts.track_features
    where artist_id is not null
    group by artist_id, genre
),

genres as (
    select
        artist_id,
        genre,
        row_number() over (partition by artist_id order by n_tracks desc, genre asc) as genre_rank,
        sum(n_tracks) over (partition by artist_id) as n_tracks
    from genre_counts
),

listening as (
    select
        tracks.artist_id,
        count(distinct case when interactions.n_plays > 0 then interactions.user_id end) as n_listeners,
        cast(sum(interactions.n_plays) as bigint) as n_plays,
        cast(sum(interactions.n_skips) as bigint) as n_skips,
        min(case when interactions.n_plays > 0 then interactions.first_date end) as first_date,
        max(case when interactions.n_plays > 0 then interactions.last_date end) as last_date
    from marts.interactions as interactions
    inner join marts.track_features as tracks on interactions.track_id = tracks.track_id
    group by tracks.artist_id
)

select
    mentioned.artist_id,
    artists.name,
    coalesce(artists.gender, 'unknown') as gender,
    coalesce(artists.artist_type, 'unknown') as artist_type,
    coalesce(artists.country, 'unknown') as country,
    artists.isni,
    artists.ipi,
    coalesce(genres.genre, 'unknown') as main_genre,
    cast(coalesce(genres.n_tracks, 0) as bigint) as n_tracks,
    coalesce(listening.n_listeners, 0) as n_listeners,
    coalesce(listening.n_plays, 0) as n_plays,
    coalesce(listening.n_skips, 0) as n_skips,
    listening.first_date,
    listening.last_date,
    artists.artist_id is not null as is_known
from mentioned
left join staging.artists as artists on mentioned.artist_id = artists.artist_id
left join genres on mentioned.artist_id = genres.artist_id and genres.genre_rank = 1
left join listening on mentioned.artist_id = listening.artist_id
