-- Exposure on the published lists: a position weighs 1 / log2(1 + rank), so that the first counts 1.
-- columns:
--   list_exposure  sum of the weights of list positions [positions]
select exposure as list_exposure from lists
