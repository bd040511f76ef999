-- Weekly plays of each artist by the country of the listeners, Monday to Sunday. Unknown counts as a country.
-- grain: artist_id, country, week_start
-- rows: 0
-- columns:
--   artist_id    artist
--   country      ISO 3166-1 alpha-2 or unknown
--   week_start   Monday of the week (market time zone)
--   n_listeners  distinct listeners with at least one play [count]
--   n_plays      plays [count]
-- checks:
--   n_listeners between 1 and n_plays
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.country_weekly) = (select coalesce(sum(daily.n_plays), 0) from marts.interactions_daily as daily inner join marts.track_features as tracks on daily.track_id = tracks.track_id where tracks.artist_id is not null)
with weekly_listeners as (
    select
        tracks.artist_id,
        daily.user_id,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        sum(daily.n_plays) as n_plays
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where daily.n_plays > 0 and tracks.artist_id is not null
    group by tracks.artist_id, daily.user_id, cast(date_trunc('week', daily.listen_date) as date)
)

select
    weekly_listeners.artist_id,
    profiles.country,
    weekly_listeners.week_start,
    count(*) as n_listeners,
    cast(sum(weekly_listeners.n_plays) as bigint) as n_plays
from weekly_listeners
inner join marts.listener_profile as profiles on weekly_listeners.user_id = profiles.user_id
group by weekly_listeners.artist_id, profiles.country, weekly_listeners.week_start
