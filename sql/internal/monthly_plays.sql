-- Plays of each listener by artist and calendar month, named by its last day.
select
    daily.user_id,
    tracks.artist_id,
    last_day(daily.listen_date) as to_day,
    sum(daily.n_plays) as n_plays
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where daily.n_plays > 0 and tracks.artist_id is not null
group by daily.user_id, tracks.artist_id, last_day(daily.listen_date)
