-- Recordings that may be recommended: released and described by the catalogue, with the territories in which they are
-- available and, where they have licences, one permits streaming on that day. If no catalogue was ever delivered, every
-- recording is a stub, and all may be.
-- params:
--   served_on  day on which the lists are shown
with totals as (
    select
        cast($served_on as date) as served_on,
        count(*) filter (where is_known) as n_known
    from marts.track_features
),

places as (
    select
        track_id,
        territory,
        is_permitted
    from marts.streaming_periods
    where $served_on between first_day and last_day
),

restricted as (
    select distinct track_id
    from places
    where not is_permitted
),

audience as (
    select distinct country as territory
    from marts.listener_profile
    where country <> 'unknown'
),

permitted as (
    select
        places.track_id,
        places.territory
    from places
    inner join restricted on places.track_id = restricted.track_id
    where places.is_permitted and places.territory <> 'WW'
    union all
    select
        world.track_id,
        audience.territory
    from places as world
    inner join restricted on world.track_id = restricted.track_id
    cross join audience
    left join places as named on world.track_id = named.track_id and audience.territory = named.territory
    where world.territory = 'WW' and world.is_permitted and named.track_id is null
),

listed as (
    select
        permitted.track_id,
        array_agg(permitted.territory order by permitted.territory asc) as available_in
    from permitted
    inner join marts.track_features as tracks on permitted.track_id = tracks.track_id
    where tracks.available_in is null or array_contains(tracks.available_in, permitted.territory)
    group by permitted.track_id
)

select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.release_date,
    case when restricted.track_id is null then tracks.available_in else listed.available_in end as available_in,
    tracks.withdrawn_at,
    tracks.tempo_bpm,
    tracks.energy
from marts.track_features as tracks
cross join totals
left join restricted on tracks.track_id = restricted.track_id
left join listed on tracks.track_id = listed.track_id
where
    (tracks.is_known or totals.n_known = 0)
    and (restricted.track_id is null or listed.track_id is not null)
    and (tracks.release_date is null or tracks.release_date <= totals.served_on)
