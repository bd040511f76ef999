"""Re-ranking: from a recommender's candidates to lists that are varied, calibrated to the listener and fair."""
