"""Building blocks that several recommenders share."""
