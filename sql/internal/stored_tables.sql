-- Every table that a file holds, by DuckDB's own catalogue: schema and name.
select
    table_schema,
    table_name
from information_schema.tables
order by table_schema asc, table_name asc
