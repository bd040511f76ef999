-- Data dictionary: meaning and unit of each column of each table.
select
    table_name,
    name,
    meaning,
    unit
from meta.columns
