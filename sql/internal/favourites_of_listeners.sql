-- The 20 artists that each listener played most in a month, the first by id among equals, for the months that have ended
-- and that the ledger of labels' figures has not closed. It runs during a build only, since it reads raw tables.
with closed as (
    select max(day) as last_closed from raw.closed_days
),

months as (
    select
        daily.user_id,
        tracks.artist_id,
        last_day(daily.listen_date) as to_day,
        sum(daily.n_plays) as n_plays,
        max(case when tracks.release_date <= daily.listen_date then 1 else 0 end) = 1 as is_released
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    cross join intermediate.log_span as log_span
    cross join closed
    where
        daily.n_plays > 0 and tracks.artist_id is not null
        and last_day(daily.listen_date) <= log_span.last_date
        and (closed.last_closed is null or last_day(daily.listen_date) > closed.last_closed)
    group by daily.user_id, tracks.artist_id, last_day(daily.listen_date)
),

ranked as (
    select
        user_id,
        artist_id,
        to_day,
        is_released,
        row_number() over (partition by user_id, to_day order by n_plays desc, artist_id asc) as artist_no
    from months
)

select
    user_id,
    artist_id,
    to_day,
    is_released
from ranked
where artist_no <= 20
