"""Playlist continuation: what comes after the tracks of each playlist."""

import polars as pl

from recsys.products.base import ProductInputs


def make(inputs: ProductInputs) -> pl.DataFrame:
    """Continue every playlist; returns playlist_id, rank, track_id, score, none of a playlist's own tracks."""
    seeds = inputs.playlists.select(pl.col("playlist_id").alias("key"), "track_id")
    return inputs.continued(seeds).rename({"key": "playlist_id"})
