"""Vectors of the meaning of words and sentences."""
