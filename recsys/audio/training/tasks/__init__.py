"""Training tasks, one per module: `network`, `prepare`, `batches`, `loss`, `score` and `FORMAT`."""
