"""Mastering of one file: facts, tonal balance against a reference, what platforms will do, and a corrected copy."""
