-- Rows that each source delivered on each day of ingest.
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
--   (select coalesce(sum(n_files), 0) from intermediate.source_days) = (select count(*) from intermediate.source_files)
select
    source,
    source_table,
    ingested_on,
    cast(epoch(cast(ingested_on as timestamp)) / 86400 as bigint) as day_no,
    count(*) as n_files,
    cast(sum(n_read) as bigint) as n_read,
    cast(sum(n_accepted) as bigint) as n_accepted,
    cast(sum(n_refused) as bigint) as n_refused,
    ln(sum(n_read) + 1) as level
from intermediate.source_files
group by source, source_table, ingested_on
