-- Weekly reach, plays and skips of each artist, Monday to Sunday. Recordings without a known artist are left out;
-- marts.catalogue_health counts them.
-- grain: artist_id, week_start
-- rows: 0
-- columns:
--   artist_id    artist
--   week_start   Monday of the week (market time zone)
--   n_listeners  distinct listeners with at least one play [count]
--   n_tracks     distinct recordings played [count]
--   n_plays      plays [count]
--   n_skips      skips [count]
--   skip_share   skips / (plays + skips), null where there was neither [0..1]
-- checks:
--   n_listeners <= n_plays
--   skip_share is null or skip_share between 0 and 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.artist_weekly) = (select coalesce(sum(daily.n_plays), 0) from marts.interactions_daily as daily inner join marts.track_features as tracks on daily.track_id = tracks.track_id where tracks.artist_id is not null)
with weeks as (
    select
        tracks.artist_id,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        count(distinct case when daily.n_plays > 0 then daily.user_id end) as n_listeners,
        count(distinct case when daily.n_plays > 0 then daily.track_id end) as n_tracks,
        cast(sum(daily.n_plays) as bigint) as n_plays,
        cast(sum(daily.n_skips) as bigint) as n_skips
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where tracks.artist_id is not null
    group by tracks.artist_id, cast(date_trunc('week', daily.listen_date) as date)
)

select
    artist_id,
    week_start,
    n_listeners,
    n_tracks,
    n_plays,
    n_skips,
    n_skips / nullif(n_plays + n_skips, 0) as skip_share
from weeks
