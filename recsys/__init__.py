"""Analyse a music catalogue and recommend from it: warehouse, recommenders, similarity, matching, nightly exports."""

__version__ = "0.1.0"
