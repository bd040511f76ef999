-- Drift of the columns of listens: the share of each file's listens that lack a value, compared with the eight files of its
-- source before. The first unusual file is the one to suspect. A source is all files whose names differ in digits only.
-- grain: batch_no, column_name
-- rows: 0
-- columns:
--   batch_no        number of the batch [count]
--   source          file name without its digits
--   source_file     file name
--   ingested_on     day of ingest
--   column_name     ms_played, skipped, utc_offset_min or source (value missing or unknown), or track_id (recording unknown)
--   n_rows          listens of the file [count]
--   share           share of them that lack the value [0..1]
--   expected_share  median share of the files before, null with fewer than four [0..1]
--   max_difference  difference that is usual: four robust standard deviations, at least 0.05; null where expected_share is [0..1]
--   is_unusual      whether the share differs more, null where expected_share is
-- checks:
--   share between 0 and 1
--   max_difference is null or max_difference >= 0.05
-- reconcile:
--   (select count(*) from marts.column_drift) <= (select count(*) from intermediate.listen_shares)
with numbered as (
    select
        shares.batch_no,
        files.source,
        files.source_file,
        files.ingested_on,
        shares.column_name,
        shares.n_rows,
        shares.share,
        row_number() over (partition by files.source, shares.column_name order by shares.batch_no asc) as file_no
    from intermediate.listen_shares as shares
    inner join intermediate.source_files as files on shares.batch_no = files.batch_no
),

past as (
    select
        now.batch_no,
        now.column_name,
        before.share
    from numbered as now
    inner join numbered as before
        on
            now.source = before.source
            and now.column_name = before.column_name
            and before.file_no between now.file_no - 8 and now.file_no - 1
),

expected as (
    select
        batch_no,
        column_name,
        median(share) as share
    from past
    group by batch_no, column_name
    having count(*) >= 4
),

bounds as (
    select
        expected.batch_no,
        expected.column_name,
        expected.share,
        greatest(0.05, 4 * 1.4826 * median(abs(past.share - expected.share))) as max_difference
    from expected
    inner join past on expected.batch_no = past.batch_no and expected.column_name = past.column_name
    group by expected.batch_no, expected.column_name, expected.share
)

select
    numbered.batch_no,
    numbered.source,
    numbered.source_file,
    numbered.ingested_on,
    numbered.column_name,
    numbered.n_rows,
    numbered.share,
    bounds.share as expected_share,
    bounds.max_difference,
    abs(numbered.share - bounds.share) > bounds.max_difference as is_unusual
from numbered
left join bounds on numbered.batch_no = bounds.batch_no and numbered.column_name = bounds.column_name
