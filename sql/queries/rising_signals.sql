-- Recordings and artists whose counts of other channels (radio, video, social media) rose before their plays: the newest
-- day of each rise in the last days (see marts.signal_rises), highest z first, without those whose plays of the same seven
-- days are more than 1.5 times those of the week before. A label's file has no plays: it shows all rises of its artists.
-- params:
--   as_of  last day of the period, the day of the build where empty =
--   days   length of the period [d] = 7
--   label  label id, every label where empty =
--   n      rises at most [count] = 100
with own_artists as (
    select distinct artist_id
    from marts.track_features
    where label_id = $label
),

last_day as (
    select coalesce(cast(nullif($as_of, '') as date), build.as_of) as day
    from meta.build as build
),

newest as (
    select
        rises.day,
        rises.source,
        rises.track_id,
        rises.artist_id,
        rises.metric,
        rises.value_per_day,
        rises.usual_per_day,
        rises.z,
        rises.n_weeks,
        rises.n_plays,
        rises.n_plays_before,
        row_number() over (
            partition by rises.source, rises.track_id, rises.delivered_artist_id, rises.metric order by rises.day desc
        ) as day_no
    from marts.signal_rises as rises
    cross join last_day
    where rises.day between last_day.day - $days::integer + 1 and last_day.day
)

select
    newest.track_id,
    tracks.title,
    newest.artist_id,
    artists.name as artist_name,
    newest.source,
    newest.metric,
    newest.day,
    newest.value_per_day,
    newest.usual_per_day,
    round(newest.z, 2) as z,
    newest.n_weeks,
    newest.n_plays,
    newest.n_plays_before
from newest
left join marts.track_features as tracks on newest.track_id = tracks.track_id
left join marts.artist_profile as artists on newest.artist_id = artists.artist_id
left join own_artists on newest.artist_id = own_artists.artist_id
where
    newest.day_no = 1
    and (newest.n_plays > 1.5 * newest.n_plays_before) is not true
    and (
        $label = ''
        or tracks.label_id = $label
        or (newest.track_id is null and own_artists.artist_id is not null)
    )
order by newest.z desc, newest.track_id asc, newest.artist_id asc, newest.source asc, newest.metric asc
limit $n::integer
