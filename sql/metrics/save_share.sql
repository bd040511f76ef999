-- Saves per play, for periods whose listeners cannot be counted from days.
-- columns:
--   save_share  saves / plays [0..1]
select n_saves / nullif(n_plays, 0) as save_share from listening
