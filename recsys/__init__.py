"""Understand and recommend a music catalogue: one warehouse, recommenders and nightly exports."""

__version__ = "0.1.0"
