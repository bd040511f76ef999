-- The tables whose queries read one table.
-- params:
--   name  table, with its schema
select name
from meta.tables
where array_contains(reads, $name)
order by name asc
