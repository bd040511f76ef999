-- Most played recordings of the last days.
-- params:
--   days  days back from the last day of the log [d] = 28
--   n     recordings at most [count] = 20
select
    tracks.title,
    tracks.artist_name,
    tracks.label_name,
    sum(daily.n_plays)::bigint as n_plays,
    sum(daily.n_skips)::bigint as n_skips
from marts.track_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where daily.listen_date > (select max(latest.listen_date) from marts.track_daily as latest) - $days::integer
group by tracks.track_id, tracks.title, tracks.artist_name, tracks.label_name
order by n_plays desc, tracks.track_id asc
limit $n::integer
