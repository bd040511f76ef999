-- Recordings for a soundtrack: available to a listener on the day of the lists, or everywhere where no listener is given,
-- and of copies of a recording one. How much the listener likes each is the share of its genre in their plays, divided by
-- that of their main genre.
-- params:
--   user_id  listener (pseudonymous id), everybody where empty
with place as (
    select
        build.as_of + 1 as served_on,
        coalesce(listeners.country, 'unknown') as country
    from meta.build as build
    left join marts.listener_profile as listeners on listeners.user_id = $user_id
),

closed as (
    select periods.track_id
    from marts.streaming_periods as periods
    inner join place on place.served_on between periods.first_day and periods.last_day
    group by periods.track_id, place.country
    having not case
        when place.country = 'unknown' then min(periods.is_permitted)
        else coalesce(
            max(case when periods.territory = place.country then periods.is_permitted end),
            max(case when periods.territory = 'WW' then periods.is_permitted end)
        )
    end
),

genre_plays as (
    select
        tracks.genre,
        sum(pairs.n_plays) as n_plays
    from marts.interactions as pairs
    inner join marts.track_features as tracks on pairs.track_id = tracks.track_id
    where pairs.user_id = $user_id
    group by tracks.genre
),

favourite as (select max(n_plays) as n_plays from genre_plays),

available as (
    select
        tracks.track_id,
        row_number() over (
            partition by coalesce(links.same_as, tracks.track_id) order by links.track_id is null desc, tracks.track_id
        ) as copy_no
    from marts.track_features as tracks
    cross join place
    left join marts.duplicate_links as links on tracks.track_id = links.track_id
    left join closed on tracks.track_id = closed.track_id
    where
        (tracks.release_date is null or tracks.release_date <= place.served_on)
        and (tracks.withdrawn_at is null or tracks.withdrawn_at > place.served_on)
        and (tracks.available_in is null or list_contains(tracks.available_in, place.country))
        and closed.track_id is null
)

select
    tracks.track_id,
    tracks.title,
    tracks.artist_name,
    tracks.artist_id,
    tracks.genre,
    tracks.duration_ms,
    tracks.tempo_bpm,
    tracks.energy,
    tracks.key,
    tracks.mode,
    coalesce(genre_plays.n_plays / favourite.n_plays, 0.0) as liked
from marts.track_features as tracks
inner join available on tracks.track_id = available.track_id and available.copy_no = 1
cross join favourite
left join genre_plays on tracks.genre = genre_plays.genre
order by tracks.track_id asc
