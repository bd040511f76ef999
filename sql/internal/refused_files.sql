-- Rows of each file that were refused, by reason; the reason is unreadable_file where the whole file was.
-- params:
--   since  first day of ingest
select
    source_table,
    source_file,
    outcome,
    sum(n_rows) as n_rows
from marts.data_quality
where outcome not in ('accepted', 'duplicate', 'replayed', 'dropped', 'expired', 'undone') and ingested_on >= $since::date
group by source_table, source_file, outcome
order by source_table, source_file, outcome
