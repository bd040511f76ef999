"""Discovery: recommended tracks by artists whom the listener has never played, one per artist."""

import polars as pl

from recsys.products.base import LISTENER, Key, ProductInputs, rank_and_truncate
from recsys.recommenders.parts.reason_text import with_reason_text

KEY: Key = LISTENER


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Select each listener's best candidate per artist, among artists who are not in the listener's history.

    Returns:
        user_id, rank, track_id, score, reason. A list is shorter than LIST_LENGTH if the candidates have fewer
        such artists. Tracks without a known artist are omitted.
    """
    artists = inputs.catalogue.select("track_id", "artist_id").drop_nulls()
    new = (
        inputs.candidates.sort("user_id", "rank")
        .join(artists, on="track_id", maintain_order="left")
        .join(inputs.seen_artists, on=["user_id", "artist_id"], how="anti", maintain_order="left")
        .unique(["user_id", "artist_id"], keep="first", maintain_order=True)
    )
    lists = with_reason_text(inputs.model.add_reasons(rank_and_truncate(new), inputs.interactions), inputs.catalogue)
    return lists.select("user_id", "rank", "track_id", "score", "reason").with_columns(pl.col("rank").cast(pl.Int32))
