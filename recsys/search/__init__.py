"""Similarity search: an index of embedding vectors, and lists of recordings that sound alike."""
