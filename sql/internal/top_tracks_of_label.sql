-- Most played recordings of a label in the last 28 days.
-- params:
--   label  label id, every label where empty
--   n      recordings at most [count]
select
    tracks.track_id,
    tracks.title,
    tracks.artist_name,
    sum(daily.n_plays)::bigint as n_plays
from marts.track_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where
    daily.listen_date > (select max(latest.listen_date) from marts.track_daily as latest) - 28
    and ($label = '' or tracks.label_id = $label)
group by tracks.track_id, tracks.title, tracks.artist_name
having sum(daily.n_plays) > 0
order by n_plays desc, tracks.track_id asc
limit $n::integer
