-- How fast recordings fade after their best week, highest peak first (see marts.release_decay).
-- params:
--   artist_id  artist id, every artist where empty =
--   label      label id, every label where empty =
--   min_r2     least share of variance that the fitted line explains [0..1] = 0.3
--   n          recordings at most [count] = 50
select
    decay.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.release_date,
    decay.peak_week,
    decay.n_plays_peak,
    decay.n_weeks,
    decay.half_life_weeks,
    decay.r2
from marts.release_decay as decay
inner join marts.track_features as tracks on decay.track_id = tracks.track_id
where
    decay.half_life_weeks is not null
    and decay.r2 >= $min_r2::double
    and ($artist_id = '' or tracks.artist_id = $artist_id)
    and ($label = '' or tracks.label_id = $label)
order by decay.n_plays_peak desc, decay.track_id asc
limit $n::integer
