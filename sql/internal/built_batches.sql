-- The batches of the lake that a warehouse file was built from.
select batch from meta.batches
