"""
Evaluation protocols: a validation split to choose models on, and a test split that is evaluated once and reported.

Whatever chooses settings, blends or models uses `validation` only. A protocol is made by date (`temporal`), from each
listener's last tracks (`leave_last_out`), or from a published split in a folder (`fixed`).
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
from recsys.dataset.splits import Split
from recsys.dataset.splits import split as temporal_split
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.experiments.split_folder import LEARNED, SplitFolder
from recsys.recommenders.parts.filters import Filters

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

ExcludeSeen: TypeAlias = Literal["train+validation", "train", "none"]
N_FEWEST = 3  # liked tracks of a listener: one each for training, validation and test


@dataclass(frozen=True, eq=False)
class Protocol:
    """
    Two splits of the same data: validation and test.

    Attributes:
        name: 'temporal', 'leave-last-out' or 'fixed'.
        validation: Train on the training part, predict the validation part: settings and blends are chosen on it.
        test: Train on the training and validation parts, predict the test part: it is reported.
        exclude_seen: Which known tracks lists may not contain (see `filters`).
    """

    name: str
    validation: Split
    test: Split
    exclude_seen: ExcludeSeen = "train+validation"

    def filters(self, split: Split) -> Filters:
        """
        Return the filters of the lists for one of the two splits.

        By `exclude_seen`: 'train+validation' excludes what a listener has seen in the split's own training part (for
        `test`, this includes validation); 'train' excludes what a listener has seen in the training part of
        `validation`, in both splits; 'none' excludes nothing.
        """
        hidden = _hidden(split.train, self.validation.train, self.exclude_seen)
        return replace(Filters.of(split.train), hidden=hidden)


def temporal(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int) -> Protocol:
    """
    Split by date, on the same days for all listeners. The validation window ends where the test's training part ends.

    Args:
        warehouse: The warehouse whose marts.interactions_daily is split.
        as_of: The last day of the test window.
        test_days: Length of each window [d].
        gap_days: Days left out between each window and its training part [d].
    """
    test = temporal_split(warehouse, as_of=as_of, test_days=test_days, gap_days=gap_days)
    validation = temporal_split(warehouse, as_of=test.train.as_of, test_days=test_days, gap_days=gap_days)
    return Protocol("temporal", validation, test)


def leave_last_out(interactions: Interactions) -> Protocol:
    """
    Hold out each listener's last liked track for the test, and the one before it for validation.

    The last track is the one of least age, the later row of the catalogue among tracks of equal age. Listeners with
    fewer than `N_FEWEST` liked tracks are in the training part only. Since the held-out days differ between listeners,
    training data may be later than another listener's held-out track; `temporal` rules this out.
    """
    counts = np.diff(interactions.matrix.indptr)
    n_later = np.where(np.repeat(counts >= N_FEWEST, counts), _n_later(interactions), N_FEWEST)
    validation, test = (Split.hold_out(interactions, n_later > n, n_later == n) for n in (1, 0))
    return Protocol("leave-last-out", validation, test)


def fixed(folder: Path, *, exclude_seen: ExcludeSeen = "train+validation") -> Protocol:
    """
    Read a published split from a folder (see `split_folder` for its files and `SplitFolder.pairs` for ages).

    The catalogue is every item in any file, also in item_features only. Rows with a weight of 0 or below count as seen
    but not liked, and are never held out. A held-out track that lists may not contain, because its listener knows it,
    is not evaluated but counted in `n_repeat_plays`.

    Args:
        folder: Holds train, validation and test, and optionally item_features and user_features.
        exclude_seen: Which known tracks lists may not contain (see `Protocol.filters`).

    Raises:
        InputError: A file is missing or invalid, or `exclude_seen` is not one of its values.
    """
    if exclude_seen not in get_args(ExcludeSeen):
        raise InputError(f"exclude_seen: found {exclude_seen!r}, expected one of {', '.join(get_args(ExcludeSeen))}")
    tables = SplitFolder.read(folder)
    first, both = _interactions(tables, LEARNED[:1]), _interactions(tables, LEARNED)
    validation, test = (
        Split.of(train, tables.liked(part), hidden=_hidden(train, first, exclude_seen))
        for train, part in ((first, "validation"), (both, "test"))
    )
    return Protocol("fixed", validation, test, exclude_seen)


def _hidden(train: Interactions, first: Interactions, exclude_seen: ExcludeSeen) -> Csr:
    """Return the pairs that lists may not contain, in the rows of `train`; `first` is validation's training part."""
    if exclude_seen == "none":
        return sp.csr_matrix(train.seen.shape, dtype=np.bool_)
    if exclude_seen == "train":
        n_tracks = len(train.tracks)
        return realign(first.seen, first.users.find(train.users.ids()), np.arange(n_tracks), n_tracks)
    return train.seen


def _n_later(interactions: Interactions) -> I64:
    """Return how many of a listener's liked tracks come after each one, aligned with `matrix.data`."""
    counts = np.diff(interactions.matrix.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((interactions.matrix.indices, -interactions.age_days, user))
    n_later = np.empty(len(order), np.int64)
    n_later[order] = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(order))
    return n_later


def _interactions(tables: SplitFolder, parts: Iterable[str]) -> Interactions:
    catalogue = pl.DataFrame({"track_id": tables.track_ids().unique()})
    interactions = Interactions.of(tables.pairs(parts), catalogue=catalogue)
    tracks = _weighted(interactions.tracks, tables.item_features) or interactions.track_features
    users = _weighted(interactions.users, tables.user_features) or interactions.user_features
    return replace(interactions, track_features=tracks, user_features=users)


def _weighted(rows: Vocab, frame: pl.DataFrame | None) -> Features | None:
    return None if frame is None else Features.weighted(rows, frame)
