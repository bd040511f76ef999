-- What listeners said of recordings without playing them: likes, unlikes, saves, playlist adds, shares.
-- grain: user_id, track_id, event_at, event
-- rows: 0
-- columns:
--   user_id     listener (pseudonymous id)
--   track_id    recording
--   event_at    when (UTC)
--   event_date  its day by the market's clock (the home's time zone, UTC unless set)
--   event       like, unlike, save, playlist_add or share
-- checks:
--   event in ('like', 'unlike', 'save', 'playlist_add', 'share')
-- reconcile:
--   (select count(*) from staging.events) = (select count(*) from raw.events)
select
    user_id,
    track_id,
    event_at,
    ds as event_date,
    event
from raw.events
