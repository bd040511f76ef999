-- Every table that the data dictionary describes, steps of the build included.
select name from meta.tables
