-- The last day of the logs that a warehouse file counts.
select as_of from meta.build
