-- Daily plays and reactions, up to the last day of the log.
-- params:
--   days   days back from the last day of the log [d] = 56
--   label  label id, every label where empty =
--   genre  main genre, every genre where empty =
select
    daily.listen_date,
    sum(daily.n_plays)::bigint as n_plays,
    sum(daily.n_skips)::bigint as n_skips,
    sum(daily.n_saves)::bigint as n_saves,
    sum(daily.n_playlist_adds)::bigint as n_playlist_adds
from marts.track_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where
    daily.listen_date > (select max(latest.listen_date) from marts.track_daily as latest) - $days::integer
    and ($label = '' or tracks.label_id = $label)
    and ($genre = '' or tracks.genre = $genre)
group by daily.listen_date
order by daily.listen_date
