"""Analyse and recommend a music catalogue: one warehouse, recommenders, similarity, matching and nightly exports."""

__version__ = "0.1.0"
