-- What is expected of each artist: plays of the next 28 days, day by day, with the interval that holds four days in five
-- by the errors of earlier forecasts (recsys/analytics/forecast.py says how; bench/analytics/forecasts.py how well).
-- grain: artist_id, forecast_date
-- rows: 0
-- labels: artist_id
-- people: n_listeners
-- parts: forecast_date
-- columns:
--   artist_id      artist
--   forecast_date  the day (market's clock)
--   n_listeners    distinct listeners of the artist so far [count]
--   n_plays        plays expected [count]
--   low            lower end of the 80 % interval [count]
--   high           upper end [count]
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
