-- Daily plays, listeners and reactions of an artist, with plays per day, completion rate and algorithmic share over a
-- window that ends with each day. Plays per day are those of the window / its days since the log and the artist began:
-- days before the log's first, or before the artist's first release or first play, are not counted.
-- params:
--   artist_id  artist id
--   from       first day, the first of the log where empty =
--   to         last day, the last of the log where empty =
--   days       length of the window: 1, 7 or 28 [d] = 7
with days as (
    select
        listen_date,
        n_listeners,
        n_plays,
        n_skips,
        n_active_plays,
        n_algorithmic_plays,
        n_timed_listens,
        n_completions,
        n_likes,
        n_saves,
        n_playlist_adds,
        n_shares
    from marts.artist_daily
    where artist_id = $artist_id
),

log as (
    select min(listen_date) as first_date from marts.track_daily
),

releases as (
    select min(release_date) as first_date
    from marts.track_features
    where artist_id = $artist_id
),

spans as (
    select greatest(log.first_date, least(min(releases.first_date), min(days.listen_date))) as first_date
    from days
    cross join log
    cross join releases
    where days.n_plays > 0
    group by log.first_date
),

windows as (
    select
        days.listen_date,
        sum(window_days.n_plays)
        / nullif(least($days::integer, max(days.listen_date - spans.first_date) + 1), 0) as plays_a_day,
        sum(window_days.n_completions) / nullif(sum(window_days.n_timed_listens), 0) as completion_rate,
        sum(window_days.n_algorithmic_plays)
        / nullif(sum(window_days.n_active_plays + window_days.n_algorithmic_plays), 0) as algorithmic_share
    from days
    cross join spans
    inner join days as window_days on window_days.listen_date between days.listen_date - $days::integer + 1 and days.listen_date
    group by days.listen_date
)

select
    days.listen_date,
    days.n_listeners,
    days.n_plays,
    days.n_skips,
    days.n_likes,
    days.n_saves,
    days.n_playlist_adds,
    days.n_shares,
    windows.plays_a_day,
    windows.completion_rate,
    windows.algorithmic_share,
    days.n_plays / nullif(days.n_listeners, 0) as streams_per_listener,
    days.n_skips / nullif(days.n_plays + days.n_skips, 0) as skip_share,
    days.n_saves / nullif(days.n_listeners, 0) as save_rate
from days
inner join windows on days.listen_date = windows.listen_date
where
    ($from = '' or days.listen_date >= cast(nullif($from, '') as date))
    and ($to = '' or days.listen_date <= cast(nullif($to, '') as date))
order by days.listen_date asc
