"""Evaluation of rankings: metrics as pure functions with one value per listener, NaN where it cannot be computed."""
