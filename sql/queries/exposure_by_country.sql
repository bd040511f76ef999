-- Exposure of an artist or a label by the listeners' country, compared with plays, lowest first (see
-- marts.country_exposure); and how many of its recordings, and which share of all recordings, cannot be recommended there,
-- because they are withdrawn, not available in the country or not licensed for streaming there on the day of the lists.
-- params:
--   id     artist id or label id
--   owner  artist or label = artist
--   least  listeners whom lists show it and listeners who played it, in a country, at least [count] = 10
with found as (
    select
        country,
        n_shown,
        n_players,
        listening_share,
        exposure_share,
        ratio,
        low,
        high
    from marts.country_exposure
    where owner = $owner and owner_id = $id and least(n_shown, n_players) >= $least::integer
),

places as (
    select
        periods.track_id,
        periods.territory,
        periods.is_permitted
    from marts.streaming_periods as periods
    inner join meta.build as build on build.as_of + 1 between periods.first_day and periods.last_day
),

closed as (
    select
        found.country,
        places.track_id
    from found
    cross join places
    group by found.country, places.track_id
    having not case
        when found.country = 'unknown' then min(places.is_permitted)
        else coalesce(
            max(case when places.territory = found.country then places.is_permitted end),
            max(case when places.territory = 'WW' then places.is_permitted end)
        )
    end
),

recordings as (
    select
        found.country,
        coalesce(case when $owner = 'artist' then tracks.artist_id else tracks.label_id end = $id, false) as is_own,
        tracks.withdrawn_at is not null
        or closed.track_id is not null
        or (len(tracks.available_in) > 0 and not list_contains(tracks.available_in, found.country)) as is_unavailable
    from found
    cross join marts.track_features as tracks
    left join closed on found.country = closed.country and tracks.track_id = closed.track_id
),

counts as (
    select
        country,
        count(*) filter (where is_own) as n_tracks,
        count(*) filter (where is_own and is_unavailable) as n_unavailable,
        count(*) filter (where is_unavailable) / count(*) as home_unavailable_share
    from recordings
    group by country
)

select
    found.country,
    found.ratio,
    found.low,
    found.high,
    found.exposure_share,
    found.listening_share,
    found.n_shown,
    found.n_players,
    counts.n_tracks,
    counts.n_unavailable,
    counts.home_unavailable_share
from found
inner join counts on found.country = counts.country
order by found.ratio asc, found.country asc
