"""Vectors and tags of a recording, by pretrained encoders or by one trained here."""
