-- The data dictionary: meaning and unit of every column of every table.
select
    table_name,
    name,
    meaning,
    unit
from meta.columns
