-- What the data dictionary says of one table.
-- params:
--   name  table, with its schema
select
    name,
    description,
    grain,
    n_rows,
    reads
from meta.tables
where name = $name
