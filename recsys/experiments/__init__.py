"""Comparisons beside the nightly run: protocols, tuning, fixed splits, simulation."""
