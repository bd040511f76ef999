"""Playlist continuation: the tracks that fit after those of a playlist."""

import polars as pl

from recsys.products.base import ProductInputs


def make(inputs: ProductInputs) -> pl.DataFrame:
    """Continue every playlist, without its own tracks: playlist_id, rank, track_id, score."""
    seeds = inputs.playlists.select(pl.col("playlist_id").alias("key"), "track_id")
    return inputs.continued(seeds).rename({"key": "playlist_id"})
