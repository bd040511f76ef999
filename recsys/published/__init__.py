"""Answers from the current release: explanations, products, matches and similar recordings."""
