-- Outcome of every row of every source file: accepted, duplicate, or the reason why it was refused.
-- grain: batch, source_file, outcome, column_name
-- columns:
--   batch         batch id
--   source_table  raw table, unknown for a file that could not be read
--   source_file   name of the source file; for accepted audio files, the first file of the batch
--   ingested_on   day of ingest
--   outcome       accepted, duplicate, the reason code of the refusal (unreadable_file: the whole file), replayed (refused, then moved to a batch of its own), dropped (refused, then deleted), expired (accepted, then removed as older than the limit of its table) or undone (the file was taken back)
--   column_name   column that caused the refusal, '' where there is none
--   n_rows        rows [count]
-- checks:
--   n_rows >= 1
-- reconcile:
--   (select sum(n_rows) from marts.data_quality) = (select sum(n_read) from staging.batches)
with live as (
    select
        batch,
        source_file,
        n_accepted,
        n_duplicate,
        n_replayed,
        n_dropped,
        n_expired
    from staging.batches
    where undone_on is null
),

outcomes as (
    select
        batch,
        source_file,
        'accepted' as outcome,
        '' as column_name,
        n_accepted as n_rows
    from live
    union all
    select
        batch,
        source_file,
        'duplicate' as outcome,
        '' as column_name,
        n_duplicate as n_rows
    from live
    union all
    select
        batch,
        source_file,
        'replayed' as outcome,
        '' as column_name,
        n_replayed as n_rows
    from live
    union all
    select
        batch,
        source_file,
        'dropped' as outcome,
        '' as column_name,
        n_dropped as n_rows
    from live
    union all
    select
        batch,
        source_file,
        'expired' as outcome,
        '' as column_name,
        n_expired as n_rows
    from live
    union all
    select
        batch,
        source_file,
        'undone' as outcome,
        '' as column_name,
        n_read as n_rows
    from staging.batches
    where undone_on is not null
    union all
    select
        batch,
        source_file,
        reason as outcome,
        coalesce(column_name, '') as column_name,
        count(*) as n_rows
    from staging.quarantine
    group by batch, source_file, reason, coalesce(column_name, '')
)

select
    outcomes.batch,
    batches.source_table,
    outcomes.source_file,
    batches.ingested_on,
    outcomes.outcome,
    outcomes.column_name,
    outcomes.n_rows
from outcomes
inner join staging.batches as batches on outcomes.batch = batches.batch
where outcomes.n_rows > 0
