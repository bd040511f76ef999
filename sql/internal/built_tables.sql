-- Rows of each mart of a built file.
select
    name,
    n_rows
from meta.tables
where name like 'marts.%'
