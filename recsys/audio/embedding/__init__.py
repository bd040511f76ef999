"""Embedding vectors and tags of a recording, by pretrained encoders or by one trained on the own catalogue."""
