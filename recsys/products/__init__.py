"""Products: lists that the nightly run makes beside the recommendations, one module per product (see `base`)."""
