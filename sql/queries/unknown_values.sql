-- Optional columns whose values became unknown at ingest, because they violated the data contract, most values first.
select
    source_table,
    source_file,
    column_name,
    reason,
    sum(n_values)::bigint as n_values,
    min(first_line) as first_line
from marts.invalid_values
group by source_table, source_file, column_name, reason
order by n_values desc, source_file asc, column_name asc, reason asc
