-- Listens and events in one table, one row each, with a count column per kind.
-- grain: none
-- columns:
--   user_id              listener (pseudonymous id)
--   track_id             recording
--   reacted_at           start of the listen or time of the event (UTC)
--   listen_date          its day (market time zone)
--   local_at             start of the listen in the listener's local time, null for events and where the log has no offset
--   n_listens            listens of any length [count]
--   n_plays              plays [count]
--   n_skips              skips [count]
--   n_active_plays       plays chosen by the listener [count]
--   n_algorithmic_plays  plays chosen by a recommender [count]
--   n_timed_listens      listens with known durations of listen and recording [count]
--   n_completions        timed listens of at least 90 % of the recording [count]
--   n_likes              likes [count]
--   n_unlikes            withdrawn likes [count]
--   n_saves              saves to the library [count]
--   n_playlist_adds      adds to a playlist [count]
--   n_shares             shares [count]
--   ms_played            time listened, null where the log has no durations [ms]
--   batch_no             number of the batch that brought it [count]
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
    ms_played,
    batch_no
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
    cast(null as bigint) as ms_played,
    batch_no
from staging.events
