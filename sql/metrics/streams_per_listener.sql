-- Streams per listener: how much those who came have played.
-- columns:
--   streams_per_listener  plays / listeners [count]
select n_plays / nullif(n_listeners, 0) as streams_per_listener from listening
