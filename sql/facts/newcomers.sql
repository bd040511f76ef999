-- Each week in which a listener played an artist, and whether they had played nothing of the artist before: the facts of
-- the share of new listeners. As in marts.listening_weekly, weeks that began less than 56 days after the log are left out,
-- since in them nobody knows who is new; so are weeks that have not ended.
-- grain: user_id, artist_id, day
-- columns:
--   user_id           listener (pseudonymous id)
--   day               Monday of the week (market time zone)
--   country           country of the listener, ISO 3166-1 alpha-2 or unknown
--   gender            gender of the listener or unknown
--   age_band          age band of the listener or unknown
--   artist_id         artist
--   weight            plays: what the disclosure test is of [count]
--   n_listener_weeks  weeks in which a listener played an artist [count]
--   n_new             such weeks that were the first [count]
with log as (
    select
        min(listen_date) as first_date,
        max(listen_date) as last_date
    from marts.interactions_daily
    where n_plays > 0
),

weeks as (
    select
        daily.user_id,
        tracks.artist_id,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        sum(daily.n_plays) as n_plays
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where daily.n_plays > 0 and tracks.artist_id is not null
    group by daily.user_id, tracks.artist_id, cast(date_trunc('week', daily.listen_date) as date)
),

numbered as (
    select
        user_id,
        artist_id,
        week_start,
        n_plays,
        row_number() over (partition by user_id, artist_id order by week_start asc) as week_no
    from weeks
)

select
    numbered.user_id,
    numbered.week_start as day,
    profiles.country,
    profiles.gender,
    profiles.age_band,
    numbered.artist_id,
    numbered.n_plays as weight,
    1 as n_listener_weeks,
    case when numbered.week_no = 1 then 1 else 0 end as n_new
from numbered
cross join log
inner join marts.listener_profile as profiles on numbered.user_id = profiles.user_id
where numbered.week_start >= log.first_date + 56 and numbered.week_start + 6 <= log.last_date
