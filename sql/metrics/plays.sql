-- Plays, or streams: listens of at least 30 s or half the recording.
-- columns:
--   plays  plays: at least 30 s or half the recording [count]
select n_plays as plays from listening
