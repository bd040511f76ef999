-- Skip rate: a skip is a listen shorter than a play that the listener ended.
-- columns:
--   skip_share  skips / (plays + skips) [0..1]
select n_skips / nullif(n_plays + n_skips, 0) as skip_share from listening
