-- Catalogue and frontline: weekly plays of each artist by the age of the recording in that week. Age counts calendar
-- months, not days: the month of release is month 0, whatever its day, and a week belongs to the month of its Monday. A
-- recording is current in months 0 to 17 (and before its release), catalogue in months 18 to 35, and deep catalogue from
-- month 36 on, as in marts.track_groups, which counts to the month of the log's last day; unknown without a release date.
-- grain: artist_id, week_start, age_group
-- rows: 0
-- columns:
--   artist_id    artist
--   week_start   Monday of the week (market time zone)
--   age_group    current (calendar months 0 to 17), catalogue (18 to 35), deep catalogue (36 and later) or unknown
--   n_listeners  distinct listeners with at least one play [count]
--   n_tracks     distinct recordings played [count]
--   n_plays      plays [count]
--   share        share of the artist's plays in the week [0..1]
-- checks:
--   n_tracks between 1 and n_plays
--   n_listeners between 1 and n_plays
--   share > 0 and share <= 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.catalogue_split) = (select coalesce(sum(daily.n_plays), 0) from marts.interactions_daily as daily inner join marts.track_features as tracks on daily.track_id = tracks.track_id where tracks.artist_id is not null)
with plays as (
    select
        tracks.artist_id,
        daily.track_id,
        daily.user_id,
        daily.n_plays,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        tracks.release_date
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where daily.n_plays > 0 and tracks.artist_id is not null
),

aged as (
    select
        artist_id,
        track_id,
        user_id,
        week_start,
        n_plays,
        (year(week_start) - year(release_date)) * 12 + month(week_start) - month(release_date) as n_months
    from plays
),

grouped as (
    select
        artist_id,
        track_id,
        user_id,
        week_start,
        n_plays,
        case
            when n_months is null then 'unknown'
            when n_months < 18 then 'current'
            when n_months < 36 then 'catalogue'
            else 'deep catalogue'
        end as age_group
    from aged
)

select
    artist_id,
    week_start,
    age_group,
    count(distinct user_id) as n_listeners,
    count(distinct track_id) as n_tracks,
    cast(sum(n_plays) as bigint) as n_plays,
    1.0 * sum(n_plays) / sum(sum(n_plays)) over (partition by artist_id, week_start) as share
from grouped
group by artist_id, week_start, age_group
