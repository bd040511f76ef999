-- Time listened. Listens of unknown length count nothing.
-- columns:
--   hours_played  hours played [h]
select ms_played / 3600000 as hours_played from listening
