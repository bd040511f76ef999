"""
Train-test splits: a global temporal split, or pairs held out within one window.

`split` makes the global temporal split, one date for all listeners with a gap before the test window; the metrics of
the nightly run rest on it. `Split.hold_out` and `Split.hold_out_latest` hold out pairs within one window, for tuning,
for blends and for the protocols of published comparisons.
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
    A train-test split: interactions to learn from, and the tracks that their listeners discovered later.

    Attributes:
        train: The training window.
        test: Held-out pairs: played in the test window and not seen in `train` (or not `hidden`, see `of`). CSR with
            the rows and columns of `train.matrix`, bool.
        n_cold_users: Number of listeners who play in the test window but are not in `train`. They are not evaluated.
        n_cold_tracks: Number of tracks played in the test window that nobody touched in `train`. They stay in `test`.
        n_repeats: Number of played test pairs that are already seen in `train` (or `hidden`). They are not in `test`.
    """

    train: Interactions
    test: Csr
    n_cold_users: int
    n_cold_tracks: int
    n_repeats: int = 0

    @classmethod
    def of(cls, train: Interactions, played: pl.DataFrame, *, hidden: Csr | None = None) -> Self:
        """
        Build from a training window and later plays.

        Args:
            train: The training window.
            played: Pairs played later: user_id, track_id.
            hidden: Pairs that rankings exclude, and that are therefore not in `test` either. CSR with the rows and
                columns of `train.matrix`, bool. None: `train.seen`.

        Raises:
            UnknownIds: A played track is not in the catalogue of `train`.
        """
        user_rows = train.users.find(played["user_id"])
        track_rows = train.tracks.rows(played["track_id"])
        known = user_rows >= 0
        positions = user_rows[known], track_rows[known]
        played_pairs = sp.csr_matrix((np.ones(known.sum(), np.bool_), positions), shape=train.matrix.shape)
        touched = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
        test = played_pairs > (train.seen if hidden is None else hidden)
        return cls(
            train=train,
            test=test,
            n_cold_users=played.filter(pl.Series(~known, dtype=pl.Boolean))["user_id"].n_unique(),
            n_cold_tracks=len(np.unique(track_rows[~touched[track_rows]])),
            n_repeats=played_pairs.nnz - test.nnz,
        )

    @classmethod
    def hold_out(cls, interactions: Interactions, kept: Bool, held: Bool) -> Self:
        """
        Split the positive pairs of one window into training and test pairs.

        Args:
            interactions: The window.
            kept: True for training pairs. Aligned with `interactions.matrix.data`.
            held: True for test pairs. Aligned likewise; none of them may be `kept`.
        """
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
    def hold_out_latest(cls, interactions: Interactions, *, share: float = 0.2, seed: int) -> Self:
        """
        Hold out the latest positive pairs of each listener.

        Args:
            interactions: The window.
            share: Share of a listener's pairs to hold out, 0..1, rounded up. Listeners with a single pair keep it.
            seed: Seed of the random order among pairs of the same age.
        """
        counts = np.diff(interactions.matrix.indptr)
        user = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((np.random.default_rng(seed).random(len(user)), interactions.age_days, user))
        n_later = np.empty(len(order), np.int64)  # of the listener's pairs, for each pair
        n_later[order] = np.arange(len(order)) - np.repeat(interactions.matrix.indptr[:-1], counts)
        n_held = np.where(counts > 1, np.ceil(counts * share), 0)
        held = n_later < n_held[user]
        return cls.hold_out(interactions, ~held, held)


def split(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int, since: date | None = None) -> Split:
    """
    Make a global temporal split: the same dates for all listeners.

    Args:
        warehouse: Where interactions are read from.
        as_of: Last day of the test window.
        test_days: Length of the test window [d].
        gap_days: Whole days between training and test window, so that a model knows no more than it would have known
            when its recommendations were served.
        since: First day of the training window. None: the first day in the warehouse.
    """
    test_from = as_of - timedelta(days=test_days - 1)
    train = Interactions.read(warehouse, since=since, until=test_from - timedelta(days=gap_days + 1))
    return Split.of(train, warehouse.query(internal_sql("played_pairs"), {"since": test_from, "until": as_of}))
