"""Daily mixes: a listener's tastes apart, each a list of its own with the name of what it gathers round."""

import polars as pl

from recsys.products.base import K, ProductInputs
from recsys.recommenders.parts.reason_text import with_reason_text

N_MIXES = 3
MIN_LIKED = 3  # tracks of a cluster that a listener likes, for a mix of it
MIN_LENGTH = 5  # a shorter list is no mix


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Gather each listener's candidates by the clusters of tracks that they like most of.

    Returns:
        mix_id (user_id/1 for the cluster with most liked tracks, user_id/2 ...), name, rank, track_id, score, reason.
        A listener who likes few tracks of any cluster, or whose candidates hold too few of them, has fewer mixes.
    """
    clusters = favourite_clusters(inputs)
    rows = (
        inputs.candidates.filter(~pl.col("is_fallback"))
        .sort("user_id", "rank")
        .join(inputs.clusters, on="track_id", maintain_order="left")
        .join(clusters, on=["user_id", "community"], maintain_order="left")
        .with_columns(mix_id=pl.format("{}/{}", "user_id", "mix_no"))
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("mix_id"))
        .filter(pl.col("rank") <= K, pl.len().over("mix_id") >= MIN_LENGTH)
    )
    mixes = with_reason_text(inputs.model.add_reasons(rows, inputs.interactions), inputs.catalogue)
    return mixes.sort("user_id", "mix_no", "rank").select("mix_id", "name", "rank", "track_id", "score", "reason")


def favourite_clusters(inputs: ProductInputs) -> pl.DataFrame:
    """Return user_id, community, mix_no: each listener's clusters by how many liked tracks they hold, from 1."""
    pairs = inputs.interactions.matrix.tocoo()
    liked = pl.DataFrame(
        {"user_id": inputs.interactions.users.ids(pairs.row), "track_id": inputs.interactions.tracks.ids(pairs.col)}
    )
    counts = liked.join(inputs.clusters, on="track_id").group_by("user_id", "community").len()
    return (
        counts.filter(pl.col("len") >= MIN_LIKED)
        .sort("user_id", "len", "community", descending=[False, True, False])
        .with_columns(mix_no=pl.int_range(1, pl.len() + 1).over("user_id"))
        .filter(pl.col("mix_no") <= N_MIXES)
        .select("user_id", "community", "mix_no")
    )
