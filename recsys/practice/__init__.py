"""Practice: a take of a written melody, note by note."""
