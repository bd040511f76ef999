-- Recordings and their ranks on a listener's published list, null where they are not listed.
-- params:
--   user_id    listener (pseudonymous id)
--   track_ids  recordings, as a list
select
    tracks.track_id,
    tracks.title,
    tracks.artist_name,
    lists.rank as place
from marts.track_features as tracks
left join marts.recommendations as lists on tracks.track_id = lists.track_id and lists.user_id = $user_id
where array_contains($track_ids, tracks.track_id)
