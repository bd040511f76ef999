-- Each listener's interactions with each recording per day: the source of all recommenders and of the other marts. Only
-- here are plays, skips, likes and other reactions combined into one number, the weight: a play counts 1, a skip -0.25,
-- a like or save 2, an add to a playlist or a share 1.5, and a withdrawn like -3. Weights can be summed over days.
-- grain: user_id, track_id, listen_date
-- incremental: listen_date
-- columns:
--   user_id              listener (pseudonymous id)
--   track_id             recording
--   listen_date          day (market time zone)
--   last_listened_at     start of the day's last listen or time of its last event (UTC)
--   last_local_at        start of the day's last listen in the listener's local time, null where the log has no offset
--   n_listens            listens of any length [count]
--   n_plays              plays: at least 30 s or half the recording; a scrobble is a play [count]
--   n_skips              skips: shorter listens that the listener ended [count]
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
--   weight               weight of the preference, negative where the day counts against the recording [plays]
-- checks:
--   n_listens >= n_plays + n_skips
--   n_listens + n_likes + n_unlikes + n_saves + n_playlist_adds + n_shares >= 1
--   ms_played is null or ms_played >= 0
--   n_active_plays + n_algorithmic_plays <= n_plays
--   n_completions <= n_timed_listens and n_timed_listens <= n_listens
-- reconcile:
--   (select sum(n_listens) from marts.interactions_daily) = (select sum(n_listens) from staging.listens)
--   (select sum(n_likes + n_unlikes + n_saves + n_playlist_adds + n_shares) from marts.interactions_daily) = (select count(*) from staging.events)
with days as (
    select
        user_id,
        track_id,
        listen_date,
        max(reacted_at) as last_listened_at,
        max(local_at) as last_local_at,
        cast(sum(n_listens) as bigint) as n_listens,
        cast(sum(n_plays) as bigint) as n_plays,
        cast(sum(n_skips) as bigint) as n_skips,
        cast(sum(n_active_plays) as bigint) as n_active_plays,
        cast(sum(n_algorithmic_plays) as bigint) as n_algorithmic_plays,
        cast(sum(n_timed_listens) as bigint) as n_timed_listens,
        cast(sum(n_completions) as bigint) as n_completions,
        cast(sum(n_likes) as bigint) as n_likes,
        cast(sum(n_unlikes) as bigint) as n_unlikes,
        cast(sum(n_saves) as bigint) as n_saves,
        cast(sum(n_playlist_adds) as bigint) as n_playlist_adds,
        cast(sum(n_shares) as bigint) as n_shares,
        cast(sum(ms_played) as bigint) as ms_played
    from intermediate.reactions
    group by user_id, track_id, listen_date
)

select
    user_id,
    track_id,
    listen_date,
    last_listened_at,
    last_local_at,
    n_listens,
    n_plays,
    n_skips,
    n_active_plays,
    n_algorithmic_plays,
    n_timed_listens,
    n_completions,
    n_likes,
    n_unlikes,
    n_saves,
    n_playlist_adds,
    n_shares,
    ms_played,
    cast(
        1.0 * n_plays
        - 0.25 * n_skips
        + 2.0 * n_likes
        - 3.0 * n_unlikes
        + 2.0 * n_saves
        + 1.5 * n_playlist_adds
        + 1.5 * n_shares as double
    ) as weight
from days
