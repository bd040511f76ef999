"""
The listeners for whom a run has no list, and the reasons.

They are named in the export (`listeners_without_list.parquet`), so that the serving system can tell them from listeners
that it does not know. Used by the steps that make the lists and that apply the gate.
"""

import numpy as np
import polars as pl

from recsys.columns import REASON, USER_ID
from recsys.recommenders.parts.filters import Filters

WITHOUT_LIST_COLUMNS = (USER_ID, REASON)
ALL_HEARD = "has interacted with every track that may be recommended"
NONE_AVAILABLE = "no track may be recommended in their country: see available_in, withdrawn_at and the licences"
NOTHING_LIKED = "no listener likes any track yet, so there is nothing to recommend by"


def without_list(listeners: pl.DataFrame, lists: pl.DataFrame, filters: Filters) -> pl.DataFrame:
    """
    Return the listeners who have no list.

    Args:
        listeners: All listeners: user_id.
        lists: user_id of each row of a list.
        filters: Which tracks may be recommended to each listener.

    Returns:
        user_id and reason, in the order of `listeners`.
    """
    missing = listeners.select("user_id").join(lists, on="user_id", how="anti", maintain_order="left")
    mask = filters.mask(missing["user_id"])
    has_any, n_left = np.asarray(mask.allowed.any(axis=1))[mask.group], mask.n_allowed()
    facts = missing.with_columns(is_served=pl.Series(has_any, dtype=pl.Boolean), n_left=pl.Series(n_left))
    reason = pl.when(pl.col("n_left") > 0).then(pl.lit(NOTHING_LIKED)).when("is_served").then(pl.lit(ALL_HEARD))
    return facts.select("user_id", reason.otherwise(pl.lit(NONE_AVAILABLE)).alias("reason"))


def summary(without: pl.DataFrame, n_listeners: int) -> str:
    """Say how many of all listeners have no list, by reason."""
    reasons = without.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows()
    counted = "; ".join(f"{n:,}: {reason}" for reason, n in reasons)
    return (
        f"{without.height:,} of {n_listeners:,} listeners get no list ({counted}). The export names them in "
        "listeners_without_list.parquet"
    )
