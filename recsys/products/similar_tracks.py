"""Similar tracks: the tracks that the recommender would suggest to a listener who had played only this track."""

import polars as pl

from recsys.products.base import CATALOGUE, Key, ProductInputs

KEY: Key = CATALOGUE


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Find similar tracks for every track of the catalogue.

    Returns:
        track_id, rank, similar_track_id, score. Only tracks available in every country are listed, since the list
        belongs to no particular listener.
    """
    tracks = inputs.catalogue.select("track_id", key="track_id")
    similar = inputs.continuations(tracks).rename({"track_id": "similar_track_id"})
    return similar.select(pl.col("key").alias("track_id"), "rank", "similar_track_id", "score")
