-- Last day of the logs that this warehouse includes.
select as_of from meta.build
