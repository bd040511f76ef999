"""Daily mixes: one list per cluster of music that the listener likes, named after the cluster."""

import polars as pl

from recsys.products.base import LIST_LENGTH, PART, Key, ProductInputs
from recsys.recommenders.parts.reason_text import with_reason_text

KEY: Key = PART
N_MIXES = 3
MIN_LIKED = 3  # minimum number of liked tracks in a cluster for a mix of it
MIN_LENGTH = 5  # shorter lists are omitted


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Group each listener's candidates by the track clusters in which the listener likes the most tracks (up to three).

    Returns:
        mix_id (user_id/1 for the cluster with the most liked tracks, then user_id/2 and so on), name (of the cluster),
        rank, track_id, score, reason. A cluster gives a mix only if the listener likes at least three of its tracks and
        has at least five candidates in it.
    """
    clusters = favourite_clusters(inputs)
    rows = (
        inputs.candidates.filter(~pl.col("is_fallback"))
        .sort("user_id", "rank")
        .join(inputs.clusters, on="track_id", maintain_order="left")
        .join(clusters, on=["user_id", "community"], maintain_order="left")
        .with_columns(mix_id=pl.format("{}/{}", "user_id", "mix_no"))
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("mix_id"))
        .filter(pl.col("rank") <= LIST_LENGTH, pl.len().over("mix_id") >= MIN_LENGTH)
    )
    mixes = with_reason_text(inputs.model.add_reasons(rows, inputs.interactions), inputs.catalogue)
    return mixes.sort("user_id", "mix_no", "rank").select("mix_id", "name", "rank", "track_id", "score", "reason")


def favourite_clusters(inputs: ProductInputs) -> pl.DataFrame:
    """Return each listener's clusters with the most liked tracks, up to three: user_id, community, mix_no (from 1)."""
    counts = inputs.liked.join(inputs.clusters, on="track_id").group_by("user_id", "community").len()
    return (
        counts.filter(pl.col("len") >= MIN_LIKED)
        .sort("user_id", "len", "community", descending=[False, True, False])
        .with_columns(mix_no=pl.int_range(1, pl.len() + 1).over("user_id"))
        .filter(pl.col("mix_no") <= N_MIXES)
        .select("user_id", "community", "mix_no")
    )
