-- Values of optional columns that violated the data contract: their rows were accepted without them.
-- grain: batch, column_name, reason
-- rows: 0
-- columns:
--   batch        batch id
--   column_name  optional column
--   reason       too_long, date_order, named_zone, bad_type, out_of_range, in_future, not_allowed or wrong_code
--   n_values     values that became unknown [count]
--   first_line   line of the first of them in the file, from 1 [count]
-- checks:
--   n_values >= 1
-- reconcile:
--   (select count(*) from staging.invalid_values) = (select count(*) from raw.invalid_values)
select
    batch,
    column_name,
    reason,
    n_values,
    first_line
from raw.invalid_values
