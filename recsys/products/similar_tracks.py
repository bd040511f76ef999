"""Similar tracks: what the model would recommend to somebody who played one track and nothing else."""

import polars as pl

from recsys.products.base import ProductInputs


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Continue every track that the catalogue may show.

    Returns:
        track_id, rank, similar_track_id, score. Both must be available everywhere: the list belongs to no listener.
    """
    tracks = inputs.catalogue.select("track_id", key="track_id")
    found = inputs.continued(tracks).rename({"track_id": "similar_track_id"})
    return found.select(pl.col("key").alias("track_id"), "rank", "similar_track_id", "score")
