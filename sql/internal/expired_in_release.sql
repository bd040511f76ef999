-- What a published warehouse has only from rows that are older than the limits of retention: rows of the marts that the
-- gate compares, and listeners with a list.
-- params:
--   listens_from  first day of listens that is kept
--   events_from   first day of likes, saves and other events that is kept
with days as (
    select
        user_id,
        track_id,
        n_listens > 0 and listen_date >= $listens_from::date
        or n_likes + n_unlikes + n_saves + n_playlist_adds + n_shares > 0 and listen_date >= $events_from::date as is_kept
    from marts.interactions_daily
),

expired_tracks as (
    select track_id
    from days
    group by track_id
    having max(is_kept::integer) = 0
),

expired_listeners as (
    select user_id
    from days
    group by user_id
    having max(is_kept::integer) = 0
)

select
    (
        select count(*)
        from days
        where not is_kept
    ) as interactions_daily,
    (
        select count(*)
        from marts.track_features as tracks
        inner join expired_tracks on tracks.track_id = expired_tracks.track_id
        where not tracks.is_known
    ) as track_features,
    (
        select count(*)
        from marts.listener_profile as listeners
        inner join expired_listeners on listeners.user_id = expired_listeners.user_id
        where not listeners.is_known
    ) as listener_profile,
    (
        select count(distinct lists.user_id)
        from marts.recommendations as lists
        inner join expired_listeners on lists.user_id = expired_listeners.user_id
    ) as n_listeners_with_list
