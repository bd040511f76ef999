-- What became of the rows of source files, table by table.
select
    source_table,
    case when outcome in ('accepted', 'duplicate') then outcome else 'refused' end as became,
    sum(n_rows)::bigint as n_rows
from marts.data_quality
group by source_table, case when outcome in ('accepted', 'duplicate') then outcome else 'refused' end
order by source_table asc, became asc
