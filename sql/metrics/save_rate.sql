-- Save rate, per listener. A listener may save several recordings, so it can exceed 1.
-- columns:
--   save_rate  saves / listeners [x]
select n_saves / nullif(n_listeners, 0) as save_rate from listening
