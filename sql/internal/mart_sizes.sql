-- Row count of each mart, by name.
select
    name as table,
    n_rows as rows
from meta.tables
where name like 'marts.%'
order by name asc
