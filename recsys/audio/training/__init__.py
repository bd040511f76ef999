"""Training of encoders and fingerprints on what holders allow."""
