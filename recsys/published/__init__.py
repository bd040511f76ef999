"""What is asked of the current release: explanations, products, matches, similar recordings."""
