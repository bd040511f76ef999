-- A recording and its rank on a listener's published list, null where it is not listed; no row for an unknown
-- recording.
-- params:
--   user_id   listener (pseudonymous id)
--   track_id  recording
with list_of_user as (
    select
        track_id,
        rank,
        reason,
        is_explored,
        recommender
    from marts.recommendations
    where user_id = $user_id
)

select
    tracks.title,
    tracks.artist_name,
    lists.rank,
    lists.reason,
    coalesce(lists.is_explored, false) as is_explored,
    (select count(*) from list_of_user) as n_listed,
    lists.recommender
from marts.track_features as tracks
left join list_of_user as lists on tracks.track_id = lists.track_id
where tracks.track_id = $track_id
