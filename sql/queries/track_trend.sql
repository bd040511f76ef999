-- A recording's days: how many heard it, how often, and what they did with it.
-- params:
--   track_id  recording
--   days      how many days back from the last one [d] = 90
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
