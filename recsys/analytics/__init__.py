"""Analyses that are computed in Python, not in SQL: communities, forecasts, chart breakouts."""
