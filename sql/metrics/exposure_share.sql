-- Share of exposure on the published lists; a position weighs 1 / log2(1 + rank).
-- columns:
--   exposure_share  exposure / exposure of all groups [0..1]
select exposure / nullif(sum(exposure) over (partition by period), 0) as exposure_share from lists
