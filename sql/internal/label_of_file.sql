-- Name of the label that this label's file belongs to, or its id where it has no name.
select coalesce(name, label_id) as name from meta.label
