-- Daily listeners, plays and reactions of a recording.
-- params:
--   track_id  recording
--   days      days back from the last day of the log [d] = 90
select
    listen_date,
    n_listeners,
    n_plays,
    n_skips,
    n_saves,
    n_playlist_adds
from marts.track_daily
where
    track_id = $track_id
    and listen_date > (select max(latest.listen_date) from marts.track_daily as latest) - $days::integer
order by listen_date
