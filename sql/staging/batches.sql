-- The batch log: what each source file added to each raw table.
-- grain: batch
-- columns:
--   batch          batch id
--   batch_no       number of the batch in the lake, from 1 [count]
--   source_table   raw table, unknown for a file that could not be read
--   source_file    file name
--   ingested_on    day of ingest
--   n_read         rows in the file, 1 for a file that could not be read [count]
--   n_accepted     rows that entered the lake [count]
--   n_quarantined  rows that the data contract refused [count]
--   n_duplicate    rows that repeat known rows [count]
-- checks:
--   n_read = n_accepted + n_quarantined + n_duplicate
-- reconcile:
--   (select coalesce(sum(n_accepted), 0) from staging.batches where source_table = 'tracks') = (select count(*) from raw.tracks_versions)
select
    batch,
    batch_no,
    source_table,
    source_file,
    ingested_on,
    n_read,
    n_accepted,
    n_quarantined,
    n_duplicate
from raw.batches
