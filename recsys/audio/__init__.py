"""Audio analysis: decoding, features, embeddings, tags, fingerprints, and training of encoders."""
