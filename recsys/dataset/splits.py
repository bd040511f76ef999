"""
Training and test data: one cut through time for all listeners, or pairs held out of one window.

`split` makes the global temporal split that every reported figure rests on, with a gap between training and test. The
other two hold pairs out within one window, for tuning and for protocols of published comparisons.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import Bool, Csr
from recsys.dataset.interactions import Interactions
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse


@dataclass(frozen=True, eq=False)
class Split:
    """
    One cut through time: what a model may learn from, and what its listeners discovered later.

    Attributes:
        train: The training window.
        test: Tracks played in the test window and never seen in `train` (or not `hidden`, see `of`). CSR in train's
            rows and tracks, bool.
        n_cold_users: Listeners who play in the test window but are not in `train`: counted, not evaluated.
        n_cold_tracks: Tracks played in the test window that nobody touched in `train`; they stay in `test`.
        n_repeats: Pairs of the test window that stand in `train` (are `hidden`) already: counted, not evaluated.
    """

    train: Interactions
    test: Csr
    n_cold_users: int
    n_cold_tracks: int
    n_repeats: int = 0

    @classmethod
    def of(cls, train: Interactions, played: pl.DataFrame, *, hidden: Csr | None = None) -> Self:
        """
        Build from a training window and a frame of the later plays: user_id, track_id.

        `hidden` are the pairs that no ranking may name again, so that they cannot be found either: train's seen ones,
        unless others are given, in train's rows and tracks.
        """
        user_rows = train.users.find(played["user_id"])
        track_rows = train.tracks.rows(played["track_id"])
        known = user_rows >= 0
        at = (user_rows[known], track_rows[known])
        heard = sp.csr_matrix((np.ones(known.sum(), np.bool_), at), shape=train.matrix.shape)
        touched = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
        test = heard > (train.seen if hidden is None else hidden)
        return cls(
            train=train,
            test=test,
            n_cold_users=played.filter(pl.Series(~known, dtype=pl.Boolean))["user_id"].n_unique(),
            n_cold_tracks=len(np.unique(track_rows[~touched[track_rows]])),
            n_repeats=heard.nnz - test.nnz,
        )

    @classmethod
    def held_out(cls, interactions: Interactions, kept: Bool, held: Bool) -> Self:
        """Learn from the `kept` liked pairs, find the `held` ones; both aligned with `interactions.matrix.data`."""
        pairs, shape = interactions.matrix.tocoo(), interactions.matrix.shape
        ends = np.concatenate([[0], np.cumsum(np.bincount(pairs.row[kept], minlength=len(interactions.users)))])
        later = sp.csr_matrix((np.ones((~kept).sum(), np.bool_), (pairs.row[~kept], pairs.col[~kept])), shape)
        train = replace(
            interactions,
            matrix=sp.csr_matrix((pairs.data[kept], pairs.col[kept], ends), shape),
            age_days=interactions.age_days[kept],
            hours=interactions.hours[kept],
            seen=interactions.seen > later,
        )
        played = {
            "user_id": interactions.users.ids(pairs.row[held]),
            "track_id": interactions.tracks.ids(pairs.col[held]),
        }
        return cls.of(train, pl.DataFrame(played))

    @classmethod
    def latest(cls, interactions: Interactions, *, share: float = 0.2, seed: int) -> Self:
        """
        Hold out the latest `share` of each listener's liked pairs, one at least; of pairs of the same age, any.

        Listeners with a single pair are only learned from.
        """
        counts = np.diff(interactions.matrix.indptr)
        user = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((np.random.default_rng(seed).random(len(user)), interactions.age_days, user))
        n_later = np.empty(len(order), np.int64)
        n_later[order] = np.arange(len(order)) - np.repeat(interactions.matrix.indptr[:-1], counts)
        n_held = np.where(counts > 1, np.ceil(counts * share), 0)
        held = n_later < n_held[user]
        return cls.held_out(interactions, ~held, held)


def split(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int, since: date | None = None) -> Split:
    """
    Cut time at one day for all listeners.

    The test window is [as_of - test_days + 1, as_of]. Training ends `gap_days` whole days before it starts, so that a
    model is judged on what it would really have known on the night that it served.
    """
    test_from = as_of - timedelta(days=test_days - 1)
    train = Interactions.read(warehouse, since=since, until=test_from - timedelta(days=gap_days + 1))
    return Split.of(train, warehouse.query(internal_sql("played_pairs"), {"since": test_from, "until": as_of}))
