-- Which delivery of a file brought a batch, also if its rows left the quarantine later.
-- grain: batch
-- columns:
--   batch        batch id
--   delivery_no  number of the delivery: that of its first batch; a later delivery has a larger one
-- checks:
--   delivery_no >= 1
-- reconcile:
--   (select count(*) from staging.deliveries) = (select count(*) from staging.batches)
select
    batch,
    min(batch_no) over (partition by source_sha256, delivery) as delivery_no
from raw.batches
