-- Plays per listener, artist and genre in the last 28 days of the log.
-- grain: user_id, artist_id, genre
-- rows: 0
-- columns:
--   user_id    listener (pseudonymous id)
--   artist_id  artist, null where unknown
--   genre      main genre or unknown
--   n_plays    plays [count]
-- checks:
--   n_plays >= 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.recent_plays) <= (select coalesce(sum(n_plays), 0) from marts.interactions_daily)
select
    daily.user_id,
    tracks.artist_id,
    tracks.genre,
    cast(sum(daily.n_plays) as bigint) as n_plays
from marts.interactions_daily as daily
inner join intermediate.log_span as log_span on daily.listen_date > log_span.last_date - 28
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where daily.n_plays > 0
group by daily.user_id, tracks.artist_id, tracks.genre
