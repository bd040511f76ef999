"""Daily mixes: a listener's tastes apart, each a list of its own with the name of what it gathers round."""

import polars as pl

from recsys.products.base import K, Shelf, with_reason_text

N_MIXES = 3
MIN_LIKED = 3  # tracks of a cluster that a listener likes, for it to be a taste of theirs
MIN_LENGTH = 5  # a shorter list is no mix


def make(shelf: Shelf) -> pl.DataFrame:
    """
    Gather each listener's candidates by the clusters of tracks that they like most of.

    Returns:
        mix_id (user_id/1 for the largest taste, user_id/2 ...), name, rank, track_id, score, reason. A listener whose
        tastes are no clusters, or whose candidates hold too few tracks of them, has fewer mixes, or none.
    """
    chosen = tastes(shelf)
    rows = (
        shelf.candidates.filter(~pl.col("is_fallback"))
        .sort("user_id", "rank")
        .join(shelf.clusters, on="track_id", maintain_order="left")
        .join(chosen, on=["user_id", "community"], maintain_order="left")
        .with_columns(mix_id=pl.format("{}/{}", "user_id", "taste"))
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("mix_id"))
        .filter(pl.col("rank") <= K, pl.len().over("mix_id") >= MIN_LENGTH)
    )
    told = with_reason_text(shelf.model.add_reasons(rows, shelf.taste), shelf.catalogue)
    return told.sort("user_id", "taste", "rank").select("mix_id", "name", "rank", "track_id", "score", "reason")


def tastes(shelf: Shelf) -> pl.DataFrame:
    """Return user_id, community, taste: each listener's clusters by how many liked tracks they hold, from 1."""
    pairs = shelf.taste.matrix.tocoo()
    liked = pl.DataFrame({"user_id": shelf.taste.users.ids(pairs.row), "track_id": shelf.taste.tracks.ids(pairs.col)})
    counts = liked.join(shelf.clusters, on="track_id").group_by("user_id", "community").len()
    return (
        counts.filter(pl.col("len") >= MIN_LIKED)
        .sort("user_id", "len", "community", descending=[False, True, False])
        .with_columns(taste=pl.int_range(1, pl.len() + 1).over("user_id"))
        .filter(pl.col("taste") <= N_MIXES)
        .select("user_id", "community", "taste")
    )
