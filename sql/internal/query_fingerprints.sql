-- The fingerprint of each table's query, and of the queries below it, when a warehouse file was built.
select
    name,
    fingerprint
from meta.tables
