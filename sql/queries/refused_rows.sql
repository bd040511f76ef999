-- Reasons why rows of source files were refused, most frequent first.
select
    source_table,
    source_file,
    outcome,
    column_name,
    sum(n_rows)::bigint as n_rows
from marts.data_quality
where outcome not in ('accepted', 'duplicate', 'replayed', 'dropped', 'expired', 'undone')
group by source_table, source_file, outcome, column_name
order by n_rows desc, source_file asc, outcome asc, column_name asc
