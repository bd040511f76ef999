-- Rows that the data contract refused, and files that could not be read.
-- grain: none
-- rows: 0
-- columns:
--   source_table  the raw table they were meant for, unknown for a whole file
--   reason        missing_value, bad_type, out_of_range, not_allowed, in_future, malformed_row, conflicting_row or unreadable_file; of a recording empty, no_audio, not_decodable, too_long, timeout, crash or out_of_memory
--   column_name   the column at fault, null where it is the whole row
--   payload       the row as JSON, listener ids already replaced, null where it could not be read
--   source_file   file it came in
--   source_line   line of that file, from 1 [count]
--   batch         batch it came with
-- reconcile:
--   (select count(*) from staging.quarantine) = (select coalesce(sum(n_quarantined), 0) from staging.batches)
select
    source_table,
    reason,
    column_name,
    payload,
    source_file,
    source_line,
    batch
from raw.quarantine
