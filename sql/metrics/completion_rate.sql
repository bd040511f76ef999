-- Completion: how often a recording is heard to its end.
-- columns:
--   completion_rate  listens of at least 90 % of the recording / listens whose length is known [0..1]
select n_completions / nullif(n_timed_listens, 0) as completion_rate from listening
