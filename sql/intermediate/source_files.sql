-- Files by source: all files of a table whose names differ in digits only. Files that were taken back, replays from the
-- quarantine and files that could not be read are left out.
-- grain: batch_no
-- rows: 0
-- columns:
--   batch_no      number of the batch [count]
--   source        file name without its digits
--   source_table  raw table
--   source_file   file name
--   ingested_on   day of ingest
--   n_read        rows in the file [count]
--   n_accepted    rows that entered the lake, also those that were removed since as too old [count]
--   n_refused     rows that the data contract refused, also those that were replayed or dropped since [count]
-- checks:
--   n_read >= n_accepted + n_refused
-- reconcile:
--   (select count(*) from intermediate.source_files) <= (select count(*) from staging.batches)
with files as (
    select
        batch_no,
        replace(replace(replace(replace(replace(source_file, '0', ''), '1', ''), '2', ''), '3', ''), '4', '') as half,
        source_table,
        source_file,
        ingested_on,
        n_read,
        n_accepted + n_expired as n_accepted,
        n_quarantined + n_replayed + n_dropped as n_refused
    from staging.batches
    where undone_on is null and not is_replay and source_table <> 'unknown'
)

select
    batch_no,
    replace(replace(replace(replace(replace(half, '5', ''), '6', ''), '7', ''), '8', ''), '9', '') as source,
    source_table,
    source_file,
    ingested_on,
    n_read,
    n_accepted,
    n_refused
from files
