-- Daily plays and reactions of each artist. A play is a listen of at least 30 s or half the recording; a skip is a
-- shorter one that the listener ended; a scrobble is a play (see intermediate.judged_listens). What is divided by what,
-- such as skips by plays and skips, is defined by the metrics (sql/metrics). Counts can be summed over days and artists;
-- listeners cannot, since one who comes on two days counts on both. Days end at midnight in the market time zone, which
-- is set per home; marts.interactions_daily has the listener's local time.
-- grain: artist_id, listen_date
-- rows: 0
-- incremental: listen_date
-- columns:
--   artist_id            artist
--   listen_date          day (market time zone)
--   n_listeners          distinct listeners with at least one play [count]
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
--   n_skips >= 0
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.artist_daily) = (select coalesce(sum(daily.n_plays), 0) from marts.interactions_daily as daily inner join staging.tracks as tracks on daily.track_id = tracks.track_id)
select
    tracks.artist_id,
    daily.listen_date,
    count(distinct case when daily.n_plays > 0 then daily.user_id end) as n_listeners,
    cast(sum(daily.n_plays) as bigint) as n_plays,
    cast(sum(daily.n_skips) as bigint) as n_skips,
    cast(sum(daily.n_active_plays) as bigint) as n_active_plays,
    cast(sum(daily.n_algorithmic_plays) as bigint) as n_algorithmic_plays,
    cast(sum(daily.n_timed_listens) as bigint) as n_timed_listens,
    cast(sum(daily.n_completions) as bigint) as n_completions,
    cast(sum(daily.n_likes) as bigint) as n_likes,
    cast(sum(daily.n_saves) as bigint) as n_saves,
    cast(sum(daily.n_playlist_adds) as bigint) as n_playlist_adds,
    cast(sum(daily.n_shares) as bigint) as n_shares,
    cast(sum(daily.ms_played) as bigint) as ms_played
from marts.interactions_daily as daily
inner join staging.tracks as tracks on daily.track_id = tracks.track_id
group by tracks.artist_id, daily.listen_date
