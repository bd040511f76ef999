"""Matching: which recordings of the catalogue are used in a file, from when to when, and how sure that is."""
