-- Distinct listeners with at least one play. Never to be added up: one who comes in two weeks counts in both.
-- columns:
--   listeners  distinct listeners with at least one play [count]
select n_listeners as listeners from listening
