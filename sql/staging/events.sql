-- Reactions of listeners to recordings other than listening: likes, unlikes, saves, playlist adds and shares.
-- grain: user_id, track_id, event_at, event
-- rows: 0
-- columns:
--   user_id     listener (pseudonymous id)
--   track_id    recording
--   event_at    time of the event (UTC)
--   event_date  its day in the market time zone (set per home, UTC by default)
--   event       like, unlike, save, playlist_add or share
--   batch_no    number of the batch that brought it [count]
-- checks:
--   event in ('like', 'unlike', 'save', 'playlist_add', 'share')
-- reconcile:
--   (select count(*) from staging.events) = (select count(*) from raw.events)
select
    user_id,
    track_id,
    event_at,
    ds as event_date,
    event,
    batch_no
from raw.events
