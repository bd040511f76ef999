-- Values of optional columns that became unknown at ingest, because they violated the data contract; their rows were
-- accepted. Rows that were refused are in marts.data_quality.
-- grain: batch, column_name, reason
-- rows: 0
-- columns:
--   batch         batch id
--   source_table  raw table
--   source_file   name of the source file
--   ingested_on   day of ingest
--   column_name   optional column
--   reason        too_long, date_order, named_zone, bad_type, out_of_range, in_future, not_allowed or wrong_code
--   n_values      values that became unknown [count]
--   first_line    line of the first of them in the file, from 1 [count]
--   n_accepted    rows of the batch that were accepted [count]
-- checks:
--   n_values >= 1
-- reconcile:
--   (select coalesce(sum(n_values), 0) from marts.invalid_values) = (select coalesce(sum(n_values), 0) from staging.invalid_values)
select
    counts.batch,
    batches.source_table,
    batches.source_file,
    batches.ingested_on,
    counts.column_name,
    counts.reason,
    counts.n_values,
    counts.first_line,
    batches.n_accepted
from staging.invalid_values as counts
inner join staging.batches as batches on counts.batch = batches.batch
