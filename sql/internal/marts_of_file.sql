-- The tables that an analyst can read: name, grain, rows and description.
select
    name,
    grain,
    n_rows,
    description
from meta.tables
where name like 'marts.%'
order by name asc
