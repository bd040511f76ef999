-- Row count of each mart of a built warehouse.
select
    name,
    n_rows
from meta.tables
where name like 'marts.%'
