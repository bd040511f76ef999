-- Listens and events side by side, one row each, counted in one column for each kind.
-- grain: none
-- columns:
--   user_id              listener (pseudonymous id)
--   track_id             recording
--   reacted_at           when the listen began or the event happened (UTC)
--   listen_date          its day (market's clock)
--   local_at             when the listen began on the listener's own clock, null for events and where the log does not tell
--   n_listens            listens of any length [count]
--   n_plays              plays [count]
--   n_skips              skips [count]
--   n_active_plays       plays that the listener chose [count]
--   n_algorithmic_plays  plays that a recommender chose [count]
--   n_timed_listens      listens of which the durations of listen and recording are known [count]
--   n_completions        those of them heard to at least 90 % [count]
--   n_likes              likes [count]
--   n_unlikes            likes taken back [count]
--   n_saves              saves to the library [count]
--   n_playlist_adds      adds to a playlist [count]
--   n_shares             shares [count]
--   ms_played            time listened, null where the log has no durations [ms]
-- reconcile:
--   (select count(*) from intermediate.reactions) = (select count(*) from staging.listens) + (select count(*) from staging.events)
select
    user_id,
    track_id,
    listened_at as reacted_at,
    listen_date,
    local_at,
    n_listens,
    case when is_play then n_listens else 0 end as n_plays,
    case when is_skip then n_listens else 0 end as n_skips,
    case when is_play and source = 'active' then n_listens else 0 end as n_active_plays,
    case when is_play and source = 'algorithmic' then n_listens else 0 end as n_algorithmic_plays,
    case when is_complete is not null then n_listens else 0 end as n_timed_listens,
    case when is_complete then n_listens else 0 end as n_completions,
    0 as n_likes,
    0 as n_unlikes,
    0 as n_saves,
    0 as n_playlist_adds,
    0 as n_shares,
    ms_played
from intermediate.judged_listens
union all
select
    user_id,
    track_id,
    event_at as reacted_at,
    event_date as listen_date,
    cast(null as timestamp) as local_at,
    0 as n_listens,
    0 as n_plays,
    0 as n_skips,
    0 as n_active_plays,
    0 as n_algorithmic_plays,
    0 as n_timed_listens,
    0 as n_completions,
    case when event = 'like' then 1 else 0 end as n_likes,
    case when event = 'unlike' then 1 else 0 end as n_unlikes,
    case when event = 'save' then 1 else 0 end as n_saves,
    case when event = 'playlist_add' then 1 else 0 end as n_playlist_adds,
    case when event = 'share' then 1 else 0 end as n_shares,
    cast(null as bigint) as ms_played
from staging.events
