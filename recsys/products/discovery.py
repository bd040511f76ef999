"""Discovery: the best tracks of artists whom a listener has never heard, one an artist."""

import polars as pl

from recsys.products.base import ProductInputs, ranked_anew
from recsys.recommenders.parts.reason_text import with_reason_text


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Keep, of each listener's candidates, those by artists who are new to them.

    Returns:
        user_id, rank, track_id, score, reason. Shorter than K where the candidates name fewer such artists; tracks of
        nobody in particular are left out, for one cannot know who is new.
    """
    artists = inputs.catalogue.select("track_id", "artist_id").drop_nulls()
    new = (
        inputs.candidates.sort("user_id", "rank")
        .join(artists, on="track_id", maintain_order="left")
        .join(inputs.heard_artists, on=["user_id", "artist_id"], how="anti", maintain_order="left")
        .unique(["user_id", "artist_id"], keep="first", maintain_order=True)
    )
    told = with_reason_text(inputs.model.add_reasons(ranked_anew(new), inputs.interactions), inputs.catalogue)
    return told.select("user_id", "rank", "track_id", "score", "reason").with_columns(pl.col("rank").cast(pl.Int32))
