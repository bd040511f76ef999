"""Embedding vectors and tags of a recording, by pretrained encoders or an encoder trained on this catalogue."""
