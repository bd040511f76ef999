"""Playlist continuation: what comes after the tracks of each playlist."""

import polars as pl

from recsys.products.base import Shelf


def make(shelf: Shelf) -> pl.DataFrame:
    """Continue every playlist; returns playlist_id, rank, track_id, score, none of a playlist's own tracks."""
    seeds = shelf.playlists.select(pl.col("playlist_id").alias("key"), "track_id")
    return shelf.continued(seeds).rename({"key": "playlist_id"})
