"""Queries on the current release: explanations, products, copyright matches and similar tracks."""
