"""What several recommenders are made of."""
