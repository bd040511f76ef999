-- The name of the label whose own file this is, its id where it has none.
select coalesce(name, label_id) as name from meta.label
