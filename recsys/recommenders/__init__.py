"""Recommenders: one scorer per file, each served by `base.Recommender`."""
