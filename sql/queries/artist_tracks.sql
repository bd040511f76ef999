-- Recordings of an artist, most played in the last days first.
-- params:
--   artist_id  artist id
--   days       days back from the last day of the log [d] = 28
with plays as (
    select
        track_id,
        sum(n_plays)::bigint as n_plays,
        sum(n_skips)::bigint as n_skips,
        sum(n_completions) / nullif(sum(n_timed_listens), 0) as completion_rate,
        sum(n_algorithmic_plays) / nullif(sum(n_active_plays + n_algorithmic_plays), 0) as algorithmic_share,
        sum(n_saves)::bigint as n_saves,
        sum(n_playlist_adds)::bigint as n_playlist_adds
    from marts.track_daily
    where listen_date > (select max(latest.listen_date) from marts.track_daily as latest) - $days::integer
    group by track_id
)

select
    tracks.track_id,
    tracks.title,
    tracks.release_title,
    tracks.release_date,
    coalesce(plays.n_plays, 0) as n_plays,
    plays.n_skips / nullif(plays.n_plays + plays.n_skips, 0) as skip_share,
    plays.completion_rate,
    plays.algorithmic_share,
    coalesce(plays.n_saves, 0) as n_saves,
    coalesce(plays.n_playlist_adds, 0) as n_playlist_adds
from marts.track_features as tracks
left join plays on tracks.track_id = plays.track_id
where tracks.artist_id = $artist_id and tracks.title is not null
order by n_plays desc, tracks.track_id asc
