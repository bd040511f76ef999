"""Kinds of noise in a recording, their levels, and the cure of each."""
