"""Discovery: the best track of each artist whom a listener has never played."""

import polars as pl

from recsys.products.base import ProductInputs, with_new_ranks
from recsys.recommenders.parts.reason_text import with_reason_text


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Keep each listener's best candidate of each artist who is not in their history.

    Returns:
        user_id, rank, track_id, score, reason. A list is shorter than K if the candidates have fewer such artists.
        Tracks without a known artist are left out.
    """
    artists = inputs.catalogue.select("track_id", "artist_id").drop_nulls()
    new = (
        inputs.candidates.sort("user_id", "rank")
        .join(artists, on="track_id", maintain_order="left")
        .join(inputs.known_artists, on=["user_id", "artist_id"], how="anti", maintain_order="left")
        .unique(["user_id", "artist_id"], keep="first", maintain_order=True)
    )
    lists = with_reason_text(inputs.model.add_reasons(with_new_ranks(new), inputs.interactions), inputs.catalogue)
    return lists.select("user_id", "rank", "track_id", "score", "reason").with_columns(pl.col("rank").cast(pl.Int32))
