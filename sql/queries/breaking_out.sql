-- Recordings that broke out in the last days, highest z first: the newest breakout day of each recording (see
-- marts.breakouts).
-- params:
--   as_of      last day of the period, the last of the log where empty =
--   days       length of the period [d] = 7
--   artist_id  artist id, every artist where empty =
--   label      label id, every label where empty =
--   n          recordings at most [count] = 100
with last_day as (
    select coalesce(cast(nullif($as_of, '') as date), max(listen_date)) as day
    from marts.track_daily
),

newest as (
    select
        breakouts.track_id,
        breakouts.started_on,
        breakouts.listen_date,
        breakouts.n_listeners,
        breakouts.n_countries,
        breakouts.n_plays,
        breakouts.n_expected,
        breakouts.z,
        breakouts.velocity,
        breakouts.acceleration,
        row_number() over (partition by breakouts.track_id order by breakouts.listen_date desc) as day_no
    from marts.breakouts as breakouts
    cross join last_day
    where breakouts.listen_date between last_day.day - $days::integer + 1 and last_day.day
)

select
    newest.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.label_id,
    tracks.label_name,
    tracks.genre,
    newest.started_on,
    newest.listen_date,
    newest.n_listeners,
    newest.n_countries,
    newest.n_plays,
    round(newest.n_expected, 1) as n_expected,
    round(newest.z, 2) as z,
    round(newest.velocity, 2) as velocity,
    round(newest.acceleration, 2) as acceleration
from newest
inner join marts.track_features as tracks on newest.track_id = tracks.track_id
where
    newest.day_no = 1
    and ($artist_id = '' or tracks.artist_id = $artist_id)
    and ($label = '' or tracks.label_id = $label)
order by newest.z desc, newest.track_id asc
limit $n::integer
