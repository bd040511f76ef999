"""
How models are chosen and judged: on two cuts, of which the first decides and only the second is reported.

Whoever chooses parameters, blends or models looks at `validation` alone; `test` is looked at once, at the end. The same
value comes from a warehouse's calendar, from each listener's last pairs, or from a split that somebody else published.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import I64, Csr
from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import realign
from recsys.dataset.splits import Split, split
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.experiments.split_folder import LEARNED, SplitFolder
from recsys.recommenders.parts.filters import Filters

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

ExcludeSeen: TypeAlias = Literal["train+validation", "train", "none"]
N_FEWEST = 3  # pairs: one to learn from, one to choose by, one to report


@dataclass(frozen=True, eq=False)
class Protocol:
    """
    How models are chosen and judged: two cuts, the second later or larger than the first.

    Attributes:
        name: Which protocol: 'temporal', 'leave-last-out' or 'fixed'.
        validation: train -> validation: what parameters and blends are chosen on.
        test: train + validation -> test: what is reported.
        exclude_seen: Which pairs a ranking may not name again (see `filters`).
    """

    name: str
    validation: Split
    test: Split
    exclude_seen: ExcludeSeen = "train+validation"

    def filters(self, cut: Split) -> Filters:
        """
        Return what a ranking for one of the two cuts may not name.

        That is, by `exclude_seen`: 'train+validation' what its training part saw, validation included where the cut is
        `test`; 'train' what validation's training part saw, on both cuts; 'none' nothing.
        """
        hidden = _hidden(cut.train, self.validation.train, self.exclude_seen)
        return replace(Filters.of(cut.train), hidden=hidden)


def temporal(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int) -> Protocol:
    """
    Cut time twice, for all listeners at the same days: validation's window ends where test's training does.

    Args:
        warehouse: Whose marts.interactions_daily is cut.
        as_of: The last day of the test window.
        test_days: Length of either window [d].
        gap_days: Whole days between either window and its training part [d].
    """
    test = split(warehouse, as_of=as_of, test_days=test_days, gap_days=gap_days)
    validation = split(warehouse, as_of=test.train.as_of, test_days=test_days, gap_days=gap_days)
    return Protocol("temporal", validation, test)


def leave_last_out(interactions: Interactions) -> Protocol:
    """
    Hold out each listener's last liked pair as test, and the one before it as validation.

    The last is the one of least age; of those of the same age, the one whose track stands last in the catalogue.
    Listeners with fewer than `N_FEWEST` pairs are learned from only. There is no common day: what one listener did may
    be learned from when another is judged on an earlier day, which `temporal` rules out.
    """
    counts = np.diff(interactions.matrix.indptr)
    n_later = np.where(np.repeat(counts >= N_FEWEST, counts), _n_later(interactions), N_FEWEST)
    validation, test = (Split.hold_out(interactions, n_later > place, n_later == place) for place in (1, 0))
    return Protocol("leave-last-out", validation, test)


def fixed(folder: Path, *, exclude_seen: ExcludeSeen = "train+validation") -> Protocol:
    """
    Read a split that somebody else cut (see `splitdir` for its files, `SplitFolder.pairs` for what age means).

    The catalogue is every item that a file names, be it for its features only. Weights at or below 0 are only seen, and
    are nothing to be found. A held-out pair that no ranking may name again is not judged but counted (`n_repeats`).

    Args:
        folder: Holds train, validation, test and, where known, item_features and user_features.
        exclude_seen: Which pairs a ranking may not name again (see `Protocol.filters`).

    Raises:
        InputError: The folder is not as promised, or `exclude_seen` is no such word.
    """
    if exclude_seen not in get_args(ExcludeSeen):
        raise InputError(f"exclude_seen is {exclude_seen!r}; expected one of {', '.join(get_args(ExcludeSeen))}")
    found = SplitFolder.read(folder)
    first, both = _taste(found, LEARNED[:1]), _taste(found, LEARNED)
    validation, test = (
        Split.of(train, found.liked(part), hidden=_hidden(train, first, exclude_seen))
        for train, part in ((first, "validation"), (both, "test"))
    )
    return Protocol("fixed", validation, test, exclude_seen)


def _hidden(train: Interactions, first: Interactions, exclude_seen: ExcludeSeen) -> Csr:
    """Return the pairs that a model of `train` may not name, in its rows; `first` is what validation trains on."""
    if exclude_seen == "none":
        return sp.csr_matrix(train.seen.shape, dtype=np.bool_)
    if exclude_seen == "train":
        n_tracks = len(train.tracks)
        return realign(first.seen, first.users.find(train.users.ids()), np.arange(n_tracks), n_tracks)
    return train.seen


def _n_later(interactions: Interactions) -> I64:
    """Return how many liked pairs the same listener has after each, aligned with `matrix.data`."""
    counts = np.diff(interactions.matrix.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((interactions.matrix.indices, -interactions.age_days, user))
    n_later = np.empty(len(order), np.int64)
    n_later[order] = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(order))
    return n_later


def _taste(found: SplitFolder, parts: Iterable[str]) -> Interactions:
    interactions = Interactions.of(found.pairs(parts), catalogue=pl.DataFrame({"track_id": found.track_ids().unique()}))
    tracks = _weighted(interactions.tracks, found.item_features) or interactions.track_features
    users = _weighted(interactions.users, found.user_features) or interactions.user_features
    return replace(interactions, track_features=tracks, user_features=users)


def _weighted(rows: Vocab, frame: pl.DataFrame | None) -> Features | None:
    return None if frame is None else Features.weighted(rows, frame)
