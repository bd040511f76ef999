-- Rows that the data contract refused, and files that could not be read.
-- grain: none
-- rows: 0
-- columns:
--   source_table  raw table for which the row was meant, unknown for a whole file
--   reason        missing_value, too_long, date_order, named_zone, bad_type, out_of_range, in_future, ends_before_start, not_allowed, other_encoder, other_length, malformed_row, conflicting_row, batch_refused or unreadable_file; for an audio file empty, no_audio, not_decodable, too_long, timeout, crash or out_of_memory
--   column_name   column that caused the refusal, null where the whole row did
--   payload       the row as JSON with listener ids already pseudonymised, null where it could not be read
--   source_file   name of the source file
--   source_line   line in that file, from 1 [count]
--   batch         batch id
-- reconcile:
--   (select count(*) from staging.quarantine) = (select coalesce(sum(n_quarantined), 0) from staging.batches where undone_on is null)
select
    source_table,
    reason,
    column_name,
    payload,
    source_file,
    source_line,
    batch
from raw.quarantine
