-- Recordings released in the last days, most played first.
-- params:
--   days   days back from the last day of the log [d] = 28
--   label  label id, every label where empty =
--   genre  main genre, every genre where empty =
--   n      recordings at most [count] = 10
with last_day as (
    select max(listen_date) as day from marts.track_daily
),

plays as (
    select
        daily.track_id,
        sum(daily.n_plays)::bigint as n_plays,
        sum(daily.n_skips)::bigint as n_skips,
        sum(daily.n_saves)::bigint as n_saves
    from marts.track_daily as daily
    cross join last_day
    where daily.listen_date > last_day.day - $days::integer
    group by daily.track_id
)

select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.label_name,
    tracks.genre,
    tracks.release_date,
    coalesce(plays.n_plays, 0) as n_plays,
    plays.n_skips / nullif(plays.n_plays + plays.n_skips, 0) as skip_share,
    plays.n_saves / nullif(plays.n_plays, 0) as save_share
from marts.track_features as tracks
cross join last_day
left join plays on tracks.track_id = plays.track_id
where
    tracks.release_date > last_day.day - $days::integer
    and tracks.release_date <= last_day.day
    and ($label = '' or tracks.label_id = $label)
    and ($genre = '' or tracks.genre = $genre)
order by n_plays desc, tracks.track_id asc
limit $n::integer
