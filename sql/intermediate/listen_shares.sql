-- Shares of a file's listens that lack a value, by column: what a change in a delivery shows first.
-- grain: batch_no, column_name
-- rows: 0
-- columns:
--   batch_no     number of the batch [count]
--   column_name  ms_played, skipped, utc_offset_min or source (value missing or unknown), or track_id (recording unknown)
--   n_rows       listens of the file [count]
--   share        share of them that lack the value [0..1]
-- checks:
--   share between 0 and 1
-- reconcile:
--   (select coalesce(sum(n_rows), 0) from intermediate.listen_shares) = 5 * (select count(*) from staging.listens)
with shares as (
    select
        listens.batch_no,
        count(*) as n_rows,
        avg(case when listens.ms_played is null then 1.0 else 0.0 end) as no_ms_played,
        avg(case when listens.skipped is null then 1.0 else 0.0 end) as no_skipped,
        avg(case when listens.utc_offset_min is null then 1.0 else 0.0 end) as no_offset,
        avg(case when listens.source = 'unknown' then 1.0 else 0.0 end) as no_source,
        avg(case when tracks.track_id is null then 1.0 else 0.0 end) as no_track
    from staging.listens as listens
    left join staging.tracks as tracks on listens.track_id = tracks.track_id
    group by listens.batch_no
)

select
    batch_no,
    'ms_played' as column_name,
    n_rows,
    no_ms_played as share
from shares
union all
select
    batch_no,
    'skipped' as column_name,
    n_rows,
    no_skipped as share
from shares
union all
select
    batch_no,
    'utc_offset_min' as column_name,
    n_rows,
    no_offset as share
from shares
union all
select
    batch_no,
    'source' as column_name,
    n_rows,
    no_source as share
from shares
union all
select
    batch_no,
    'track_id' as column_name,
    n_rows,
    no_track as share
from shares
