"""
Train-test splits: a global temporal split, or pairs held out within one window.

`split` makes the global temporal split: the same dates for all listeners, with an optional gap between training and
test window. The nightly run computes its metrics on it. `Split.hold_out` and `Split.hold_out_latest` hold out pairs
within one window, for tuning, for blends and for the protocols of published comparisons.
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
    A train-test split: training interactions, and the held-out tracks that the same listeners played later.

    Attributes:
        train: The training window.
        test: Held-out pairs: played in the test window, and not in `hidden`. CSR with the rows and columns of
            `train.matrix`, bool.
        hidden: Pairs that are never recommended, and therefore not in `test`. CSR like `test`, bool.
        n_cold_users: Number of listeners with plays in the test window who are not in `train`. They are not evaluated.
        n_cold_tracks: Number of tracks played in the test window without any interaction in `train`. They stay in
            `test`.
        n_repeat_plays: Number of pairs played in the test window that are in `hidden`. They are not in `test`.
    """

    train: Interactions
    test: Csr
    hidden: Csr
    n_cold_users: int
    n_cold_tracks: int
    n_repeat_plays: int = 0

    @classmethod
    def of(cls, train: Interactions, played: pl.DataFrame, *, hidden: Csr | None = None) -> Self:
        """
        Build a split from a training window and the pairs played later.

        Args:
            train: The training window.
            played: Pairs played later: user_id, track_id.
            hidden: Pairs that are never recommended, and therefore not in `test`. CSR with the rows and columns of
                `train.matrix`, bool. None: `train.seen`.

        Raises:
            UnknownIds: A played track is not in the catalogue of `train`.
        """
        user_rows = train.users.find(played["user_id"])
        track_rows = train.tracks.rows(played["track_id"])
        known = user_rows >= 0
        positions = user_rows[known], track_rows[known]
        played_pairs = sp.csr_matrix((np.ones(known.sum(), np.bool_), positions), shape=train.matrix.shape)
        has_interactions = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
        hidden = train.seen if hidden is None else hidden
        test = played_pairs > hidden
        return cls(
            train=train,
            test=test,
            hidden=hidden,
            n_cold_users=played.filter(pl.Series(~known, dtype=pl.Boolean))["user_id"].n_unique(),
            n_cold_tracks=len(np.unique(track_rows[~has_interactions[track_rows]])),
            n_repeat_plays=played_pairs.nnz - test.nnz,
        )

    @classmethod
    def hold_out(cls, interactions: Interactions, in_train: Bool, in_test: Bool) -> Self:
        """
        Split the positive pairs of one window into training and test pairs.

        Args:
            interactions: The window.
            in_train: True for training pairs. Aligned with `interactions.matrix.data`, bool.
            in_test: True for test pairs. Aligned with `interactions.matrix.data`, bool. No pair may be in both; pairs
                in neither are dropped.
        """
        pairs, shape = interactions.matrix.tocoo(), interactions.matrix.shape
        ends = np.concatenate([[0], np.cumsum(np.bincount(pairs.row[in_train], minlength=len(interactions.users)))])
        later = sp.csr_matrix(
            (np.ones((~in_train).sum(), np.bool_), (pairs.row[~in_train], pairs.col[~in_train])), shape
        )
        train = replace(
            interactions,
            matrix=sp.csr_matrix((pairs.data[in_train], pairs.col[in_train], ends), shape),
            age_days=interactions.age_days[in_train],
            hours=interactions.hours[in_train],
            seen=interactions.seen > later,
        )
        played = {
            "user_id": interactions.users.ids(pairs.row[in_test]),
            "track_id": interactions.tracks.ids(pairs.col[in_test]),
        }
        return cls.of(train, pl.DataFrame(played))

    @classmethod
    def hold_out_latest(cls, interactions: Interactions, *, share: float = 0.2, seed: int) -> Self:
        """
        Hold out the latest positive pairs of each listener.

        Args:
            interactions: The window.
            share: Share of each listener's pairs to hold out, 0..1; the number is rounded up. A listener's only pair is
                never held out.
            seed: Seed of the random order among pairs of the same age.
        """
        counts = np.diff(interactions.matrix.indptr)
        user = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((np.random.default_rng(seed).random(len(user)), interactions.age_days, user))
        n_later = np.empty(len(order), np.int64)  # per pair: number of the same listener's later pairs
        n_later[order] = np.arange(len(order)) - np.repeat(interactions.matrix.indptr[:-1], counts)
        n_held = np.where(counts > 1, np.ceil(counts * share), 0)
        in_test = n_later < n_held[user]
        return cls.hold_out(interactions, ~in_test, in_test)


def split(
    warehouse: "Warehouse",
    *,
    as_of: date,
    test_days: int,
    gap_days: int,
    new_only: bool = True,
    since: date | None = None,
) -> Split:
    """
    Make a global temporal split: the same dates for all listeners.

    Args:
        warehouse: Where interactions are read from.
        as_of: Last day of the test window.
        test_days: Length of the test window [d].
        gap_days: Whole days left out between training and test window. In production, this time passes between the
            last training day and the day on which recommendations are served.
        new_only: Whether tracks that a listener already knows are hidden, as in lists of new tracks. If false, every
            play of the test window counts.
        since: First day of the training window. None: the first day in the warehouse.
    """
    test_from = as_of - timedelta(days=test_days - 1)
    train = Interactions.read(warehouse, since=since, until=test_from - timedelta(days=gap_days + 1))
    played = warehouse.query(internal_sql("played_pairs"), {"since": test_from, "until": as_of})
    return Split.of(train, played, hidden=None if new_only else no_pairs(train))


def no_pairs(interactions: Interactions) -> Csr:
    """Return an empty matrix in the rows and columns of a window: nothing is hidden. CSR, bool."""
    return sp.csr_matrix(interactions.matrix.shape, dtype=np.bool_)
