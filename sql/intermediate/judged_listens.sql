-- Listens classified as plays, skips or neither. A play lasted at least 30 s or half the recording; a skip is a shorter
-- listen that the listener ended. A short listen counts as ended by the listener where the log does not say who ended
-- it. Without durations, a listen is a play (a scrobble) unless the log marks it as skipped. A listen is complete at 90
-- % of the recording, since players fade out the rest.
-- grain: user_id, track_id, listened_at
-- columns:
--   user_id      listener (pseudonymous id)
--   track_id     recording
--   listened_at  start of the listen (UTC)
--   listen_date  its day (market time zone)
--   local_at     start in the listener's local time, null where the log has no offset
--   n_listens    listens that the row stands for [count]
--   ms_played    time listened, null where the log has no durations [ms]
--   is_play      whether it was a play
--   is_skip      whether it was a skip
--   is_complete  whether at least 90 % of the recording was played, null where the log or the catalogue has no duration
--   source       who chose the recording: active (the listener), algorithmic (a recommender) or unknown
--   batch_no     number of the batch that brought it [count]
-- checks:
--   is_play is not null
--   not (is_play and is_skip)
-- reconcile:
--   (select sum(n_listens) from intermediate.judged_listens) = (select sum(n_listens) from staging.listens)
with timed as (
    select
        listens.user_id,
        listens.track_id,
        listens.listened_at,
        listens.listen_date,
        listens.listened_at + listens.utc_offset_min * interval '1 minute' as local_at,
        listens.n_listens,
        listens.ms_played,
        listens.skipped,
        listens.source,
        listens.batch_no,
        listens.ms_played >= 0.9 * tracks.duration_ms as is_complete,
        (listens.ms_played is null and not coalesce(listens.skipped, false))
        or coalesce(listens.ms_played >= 30000, false)
        or coalesce(listens.ms_played * 2 >= tracks.duration_ms, false) as is_play
    from staging.listens as listens
    left join staging.tracks as tracks on listens.track_id = tracks.track_id
)

select
    user_id,
    track_id,
    listened_at,
    listen_date,
    local_at,
    n_listens,
    ms_played,
    is_play,
    not is_play and coalesce(skipped, true) as is_skip,
    is_complete,
    source,
    batch_no
from timed
