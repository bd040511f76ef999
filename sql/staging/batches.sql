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
--   n_replayed     rows that left the quarantine for a batch of their own, which is_replay marks [count]
--   n_dropped      rows that were deleted from the quarantine [count]
--   n_expired      accepted rows that were removed since, as their day was older than the limit of their table [count]
--   is_replay      whether its rows come from the quarantine, not from the file itself
--   undone_on      day on which the file was taken back, null where it was not
-- checks:
--   n_read = n_accepted + n_quarantined + n_duplicate + n_replayed + n_dropped + n_expired
-- reconcile:
--   (select coalesce(sum(n_accepted), 0) from staging.batches where source_table = 'tracks' and undone_on is null) = (select count(*) from raw.tracks_versions)
select
    batch,
    batch_no,
    source_table,
    source_file,
    ingested_on,
    n_read,
    n_accepted,
    n_quarantined,
    n_duplicate,
    n_replayed,
    n_dropped,
    n_expired,
    replay <> '' as is_replay,
    undone_on
from raw.batches
