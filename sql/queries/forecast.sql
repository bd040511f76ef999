-- Plays of an artist in the last days, and expected plays of the next 28 days with 80 % intervals.
-- params:
--   artist_id  artist id
--   days       days of history [d] = 56
with last_day as (
    select max(listen_date) as day
    from marts.artist_daily
)

select
    daily.listen_date as day,
    daily.n_plays::double as n_plays,
    null::double as low,
    null::double as high,
    false as is_forecast
from marts.artist_daily as daily
cross join last_day
where daily.artist_id = $artist_id and daily.listen_date > last_day.day - $days::integer
union all
select
    forecast_date as day,
    n_plays,
    low,
    high,
    true as is_forecast
from marts.forecasts
where artist_id = $artist_id
order by day
