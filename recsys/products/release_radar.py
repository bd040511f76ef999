"""Release radar: recommended tracks that were released in the last four weeks."""

from datetime import timedelta

import polars as pl

from recsys.products.base import LIST_LENGTH, LISTENER, Key, ProductInputs
from recsys.recommenders.parts.reason_text import with_reason_text

KEY: Key = LISTENER
N_DAYS = 28


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Recommend new releases to each listener.

    Returns:
        user_id, rank, track_id, score, reason: 'new from <artist>' if the artist is in the listener's history, else
        'new, <reason of the recommendation>'. A list is shorter than LIST_LENGTH if there are fewer new releases that
        the listener's filters allow.
    """
    since = inputs.served_on - timedelta(days=N_DAYS)
    new = inputs.catalogue.filter(pl.col("release_date") > since)
    filters = inputs.filters.restricted_to(new["track_id"])
    ranking = inputs.model.recommend(
        inputs.listeners["user_id"], LIST_LENGTH, filters=filters, profiles=inputs.listeners
    )
    known = inputs.seen_artists.with_columns(is_known=True)
    lists = (
        with_reason_text(inputs.model.add_reasons(ranking, inputs.interactions), inputs.catalogue)
        .join(new.select("track_id", "artist_id", "artist_name"), on="track_id", maintain_order="left")
        .join(known, on=["user_id", "artist_id"], how="left", maintain_order="left")
    )
    from_known = pl.format("new from {}", pl.col("artist_name").fill_null("an artist you played"))
    reason = pl.when("is_known").then(from_known).otherwise(pl.format("new, {}", "reason"))
    return lists.select("user_id", "rank", "track_id", "score", reason=reason)
