"""Discovery: the best tracks of artists whom a listener has never heard, one an artist."""

import polars as pl

from recsys.products.base import Shelf, ranked_anew, with_reason_text


def make(shelf: Shelf) -> pl.DataFrame:
    """
    Keep, of each listener's candidates, those by artists who are new to them.

    Returns:
        user_id, rank, track_id, score, reason. Shorter than K where the candidates name fewer such artists; tracks of
        nobody in particular are left out, for one cannot know who is new.
    """
    artists = shelf.catalogue.select("track_id", "artist_id").drop_nulls()
    new = (
        shelf.candidates.sort("user_id", "rank")
        .join(artists, on="track_id", maintain_order="left")
        .join(shelf.heard_artists, on=["user_id", "artist_id"], how="anti", maintain_order="left")
        .unique(["user_id", "artist_id"], keep="first", maintain_order=True)
    )
    told = with_reason_text(shelf.model.add_reasons(ranked_anew(new), shelf.taste), shelf.catalogue)
    return told.select("user_id", "rank", "track_id", "score", "reason").with_columns(pl.col("rank").cast(pl.Int32))
