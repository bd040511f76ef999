-- Daily listeners, plays and reactions of each recording.
-- grain: track_id, listen_date
-- incremental: listen_date
-- columns:
--   track_id             recording
--   listen_date          day (market time zone)
--   n_listeners          listeners with at least one play [count]
--   n_plays              plays [count]
--   n_skips              skips [count]
--   n_active_plays       plays chosen by the listener [count]
--   n_algorithmic_plays  plays chosen by a recommender [count]
--   n_timed_listens      listens with known durations of listen and recording [count]
--   n_completions        timed listens of at least 90 % of the recording [count]
--   n_likes              likes [count]
--   n_saves              saves to the library [count]
--   n_playlist_adds      adds to a playlist [count]
--   n_shares             shares [count]
--   ms_played            time listened, null where the log has no durations [ms]
-- checks:
--   n_listeners <= n_plays
--   n_plays >= 0
-- reconcile:
--   (select sum(n_plays) from marts.track_daily) = (select sum(n_plays) from marts.interactions_daily)
select
    track_id,
    listen_date,
    cast(sum(case when n_plays > 0 then 1 else 0 end) as bigint) as n_listeners,
    cast(sum(n_plays) as bigint) as n_plays,
    cast(sum(n_skips) as bigint) as n_skips,
    cast(sum(n_active_plays) as bigint) as n_active_plays,
    cast(sum(n_algorithmic_plays) as bigint) as n_algorithmic_plays,
    cast(sum(n_timed_listens) as bigint) as n_timed_listens,
    cast(sum(n_completions) as bigint) as n_completions,
    cast(sum(n_likes) as bigint) as n_likes,
    cast(sum(n_saves) as bigint) as n_saves,
    cast(sum(n_playlist_adds) as bigint) as n_playlist_adds,
    cast(sum(n_shares) as bigint) as n_shares,
    cast(sum(ms_played) as bigint) as ms_played
from marts.interactions_daily
group by track_id, listen_date
