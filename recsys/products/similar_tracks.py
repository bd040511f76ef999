"""Similar tracks: what the recommender would give a listener who played this one track only."""

import polars as pl

from recsys.products.base import ProductInputs


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Find similar tracks for every track of the catalogue.

    Returns:
        track_id, rank, similar_track_id, score. Similar tracks are available everywhere, because a list has no listener
        whose country could be checked.
    """
    tracks = inputs.catalogue.select("track_id", key="track_id")
    similar = inputs.continued(tracks).rename({"track_id": "similar_track_id"})
    return similar.select(pl.col("key").alias("track_id"), "rank", "similar_track_id", "score")
