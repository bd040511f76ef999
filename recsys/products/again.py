"""
Time to hear again: tracks that the listener has played and is likely to play again, the likeliest first.

A model of repeats (see `recommenders.parts.repeats`) says which, and how soon. Copies of a recording count as one, and
the copy that may be listed in the listener's country is listed. Tracks that the listener disliked, that were withdrawn
or that are not available in the listener's country are omitted, and those that are not due within `MAX_DUE_DAYS`.
"""

import polars as pl

from recsys.products.base import LISTENER, Key, ProductInputs, rank_and_truncate
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.repeats import HORIZON_DAYS, is_among

KEY: Key = LISTENER
MAX_DUE_DAYS = 28  # a play that is due later is not called likely


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    List each listener's own tracks by the probability of being played again.

    Returns:
        user_id, rank, track_id, score (probability of a play within a week, .2..1), due_days (within so many days, a
        play is more likely than not, at most MAX_DUE_DAYS [d]), reason.
    """
    filters = Filters.for_listeners(
        inputs.listeners, inputs.catalogue, tracks=inputs.model.tracks, as_of=inputs.served_on
    )
    due = inputs.repeats.filter(pl.col("odds") >= HORIZON_DAYS / MAX_DUE_DAYS)
    known = with_copies(due.join(inputs.listeners, on="user_id", how="semi"), inputs.copies)
    is_liked = is_among(known, with_copies(inputs.liked, inputs.copies))
    allowed = known.filter(pl.Series(filters.allow(known) & is_liked, dtype=pl.Boolean))
    ordered = allowed.sort("user_id", "odds", "track_id", descending=[False, True, False])
    return rank_and_truncate(ordered.unique(["user_id", "track_id"], keep="first", maintain_order=True)).select(
        "user_id",
        "rank",
        "track_id",
        score=(pl.col("odds") / (1 + pl.col("odds"))).cast(pl.Float32),
        due_days=(HORIZON_DAYS / pl.col("odds")).cast(pl.Float32),
        reason=pl.format("you played it on {}, last {}", _counted("n_days"), _ago("age_days")),
    )


def with_copies(pairs: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of user_id and track_id, and each of them with every listed copy of its recording in its place."""
    of_copies = pairs.join(copies, on="track_id").with_columns(track_id="copy_id").select(pairs.columns)
    return pl.concat([pairs, of_copies]).unique(maintain_order=True)


def _counted(days: str) -> pl.Expr:
    return pl.when(pl.col(days) == 1).then(pl.lit("one day")).otherwise(pl.format("{} days", days))


def _ago(age_days: str) -> pl.Expr:
    """Say how long before the day of the list: a play of age 0 was on the day before."""
    n_ago = pl.col(age_days).cast(pl.Int64) + 1
    return pl.when(n_ago == 1).then(pl.lit("yesterday")).otherwise(pl.format("{} days ago", n_ago))
