-- Rows that each source delivered on each day of ingest. A source is all files of a table whose names differ in digits
-- only. Files that were taken back, replays from the quarantine and files that could not be read are left out.
-- grain: source, source_table, ingested_on
-- rows: 0
-- columns:
--   source        file name without its digits
--   source_table  raw table
--   ingested_on   day of ingest
--   day_no        that day as a number, counted from 1970-01-01 [d]
--   n_files       files [count]
--   n_read        rows in the files [count]
--   n_accepted    rows that entered the lake [count]
--   n_refused     rows that the data contract refused, also those that were replayed or dropped since [count]
--   level         ln(n_read + 1)
-- checks:
--   n_files >= 1
--   n_read >= n_accepted + n_refused
-- reconcile:
--   (select coalesce(sum(n_files), 0) from intermediate.source_days) <= (select count(*) from staging.batches)
with files as (
    select
        replace(replace(replace(replace(replace(source_file, '0', ''), '1', ''), '2', ''), '3', ''), '4', '') as half,
        source_table,
        ingested_on,
        n_read,
        n_accepted,
        n_quarantined + n_replayed + n_dropped as n_refused
    from staging.batches
    where undone_on is null and not is_replay and source_table <> 'unknown'
)

select
    replace(replace(replace(replace(replace(half, '5', ''), '6', ''), '7', ''), '8', ''), '9', '') as source,
    source_table,
    ingested_on,
    cast(epoch(cast(ingested_on as timestamp)) / 86400 as bigint) as day_no,
    count(*) as n_files,
    cast(sum(n_read) as bigint) as n_read,
    cast(sum(n_accepted) as bigint) as n_accepted,
    cast(sum(n_refused) as bigint) as n_refused,
    ln(sum(n_read) + 1) as level
from files
group by
    replace(replace(replace(replace(replace(half, '5', ''), '6', ''), '7', ''), '8', ''), '9', ''),
    source_table,
    ingested_on
