"""Playlist continuation: recommended tracks to follow those of a playlist."""

import polars as pl

from recsys.products.base import CATALOGUE, Key, ProductInputs

KEY: Key = CATALOGUE


def make(inputs: ProductInputs) -> pl.DataFrame:
    """Recommend tracks that continue each playlist and are not in it: playlist_id, rank, track_id, score."""
    seeds = inputs.playlists.select(pl.col("playlist_id").alias("key"), "track_id")
    return inputs.continuations(seeds).rename({"key": "playlist_id"})
