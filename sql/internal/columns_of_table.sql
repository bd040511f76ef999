-- The columns of one table, in their order.
-- params:
--   name  table, with its schema
select
    name,
    type,
    unit,
    meaning
from meta.columns
where table_name = $name
order by position asc
