"""Products: further lists that the nightly run makes from its recommender, one module per product (see `base`)."""
