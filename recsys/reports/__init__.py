"""Pages and files for people, made from results."""
