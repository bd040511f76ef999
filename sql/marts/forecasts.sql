-- Expected plays of each artist per day, for the next 28 days, with an 80 % interval from the errors of earlier
-- forecasts (method: recsys/analytics/forecast.py, accuracy: bench/analytics/forecasts.py).
-- grain: artist_id, forecast_date
-- rows: 0
-- columns:
--   artist_id      artist
--   forecast_date  forecast day (market time zone)
--   n_listeners    distinct listeners of the artist over all days [count]
--   n_plays        expected plays [count]
--   low            lower end of the 80 % interval [count]
--   high           upper end of the 80 % interval [count]
-- checks:
--   low >= 0
--   low <= n_plays and n_plays <= high
-- reconcile:
--   (select count(*) from marts.forecasts) = (select count(*) from raw.forecasts)
select
    forecasts.artist_id,
    forecasts.forecast_date,
    coalesce(artists.n_listeners, 0) as n_listeners,
    forecasts.n_plays,
    forecasts.low,
    forecasts.high
from raw.forecasts as forecasts
left join marts.artist_profile as artists on forecasts.artist_id = artists.artist_id
