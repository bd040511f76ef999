-- The first day that was kept of each table with a limit when a warehouse file was built.
select
    source_table,
    kept_from
from meta.retention
