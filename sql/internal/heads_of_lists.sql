-- First tracks of the lists of given listeners, with the reason for each.
-- params:
--   listeners  listeners (pseudonymous ids), as a list
--   n_shown    tracks per list [count]
with heads as (
    select
        user_id,
        rank,
        track_id,
        reason
    from marts.recommendations
    where array_contains($listeners, user_id) and rank <= $n_shown
)

select
    heads.user_id,
    heads.rank,
    heads.track_id,
    coalesce(tracks.title, heads.track_id) as title,
    tracks.artist_name,
    heads.reason
from heads
left join marts.track_features as tracks on heads.track_id = tracks.track_id
order by heads.user_id asc, heads.rank asc
