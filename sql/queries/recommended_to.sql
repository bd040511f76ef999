-- The published list of one listener, with the reason for each recording.
-- params:
--   user_id  listener (pseudonymous id, as found by recsys find)
select
    recommendations.rank,
    tracks.title,
    tracks.artist_name,
    recommendations.reason,
    recommendations.reason_kind,
    recommendations.track_id
from marts.recommendations as recommendations
inner join marts.track_features as tracks on recommendations.track_id = tracks.track_id
where recommendations.user_id = $user_id
order by recommendations.rank
