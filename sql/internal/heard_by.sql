-- Recordings that somebody had played by a day.
-- params:
--   until  last day that counts
select distinct track_id from marts.track_daily
where listen_date <= $until and n_plays > 0
