-- Every listener that any file mentions, with demographics and totals of their listening.
-- grain: user_id
-- columns:
--   user_id       listener (pseudonymous id)
--   gender        female, male, nonbinary or unknown
--   age_band      age band or unknown
--   country       ISO 3166-1 alpha-2 or unknown
--   signed_up_at  sign-up day, null where unknown
--   n_days        days with a listen or event [d]
--   n_tracks      distinct recordings played [count]
--   n_artists     distinct known artists played [count]
--   n_plays       plays [count]
--   n_skips       skips [count]
--   skip_share    skips / (plays + skips), null where there was neither [0..1]
--   first_date    day of the first listen or event, null where none
--   last_date     day of the last listen or event, null where none
--   is_known      whether the users file describes them
-- checks:
--   n_plays >= n_tracks
--   skip_share is null or skip_share between 0 and 1
-- reconcile:
--   (select sum(n_plays) from marts.listener_profile) = (select sum(n_plays) from marts.interactions)
--   (select count(*) from marts.listener_profile where is_known) = (select count(*) from staging.users)
with mentioned as (
    select user_id from staging.users
    union distinct
    select user_id from marts.interactions
    union distinct
    select user_id from staging.playlists
    where user_id is not null
),

listening as (
    select
        interactions.user_id,
        count(case when interactions.n_plays > 0 then 1 end) as n_tracks,
        count(distinct case when interactions.n_plays > 0 then tracks.artist_id end) as n_artists,
        cast(sum(interactions.n_plays) as bigint) as n_plays,
        cast(sum(interactions.n_skips) as bigint) as n_skips
    from marts.interactions as interactions
    inner join marts.track_features as tracks on interactions.track_id = tracks.track_id
    group by interactions.user_id
),

days as (
    select
        user_id,
        count(distinct listen_date) as n_days,
        min(listen_date) as first_date,
        max(listen_date) as last_date
    from marts.interactions_daily
    group by user_id
)

select
    mentioned.user_id,
    coalesce(users.gender, 'unknown') as gender,
    coalesce(users.age_band, 'unknown') as age_band,
    coalesce(users.country, 'unknown') as country,
    users.signed_up_at,
    coalesce(days.n_days, 0) as n_days,
    coalesce(listening.n_tracks, 0) as n_tracks,
    coalesce(listening.n_artists, 0) as n_artists,
    coalesce(listening.n_plays, 0) as n_plays,
    coalesce(listening.n_skips, 0) as n_skips,
    listening.n_skips / nullif(listening.n_plays + listening.n_skips, 0) as skip_share,
    days.first_date,
    days.last_date,
    users.user_id is not null as is_known
from mentioned
left join staging.users as users on mentioned.user_id = users.user_id
left join listening on mentioned.user_id = listening.user_id
left join days on mentioned.user_id = days.user_id
