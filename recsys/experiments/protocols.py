"""
Evaluation protocols: a validation split to choose models on, and a test split that is evaluated once and reported.

Settings, blend weights and recommenders are chosen on `validation` only. A protocol splits by date (`temporal`), holds
out each listener's last tracks (`leave_last_out`), or reads a published split from a folder (`from_folder`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from recsys.arrays import I64, Csr
from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import realign
from recsys.dataset.splits import Split, no_pairs
from recsys.dataset.splits import split as temporal_split
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.experiments.split_folder import LEARNED, Order, SplitFolder

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

ExcludeSeen: TypeAlias = Literal["train+validation", "train", "none"]
HIDDEN: dict[ExcludeSeen, tuple[str, ...]] = {"train+validation": LEARNED, "train": LEARNED[:1], "none": ()}  # parts
MIN_LIKED = 3  # minimum number of liked tracks: one each for training, validation and test


@dataclass(frozen=True, eq=False)
class Protocol:
    """
    Two splits of the same data: validation and test.

    Attributes:
        name: 'temporal', 'leave-last-out' or 'fixed'.
        validation: Trains on the training part and holds out the validation part; settings and blend weights are
            chosen on it.
        test: Trains on the training and validation parts and holds out the test part; its metrics are reported.
        exclude_seen: Which seen tracks are excluded from lists (see `from_folder`).
        order: What tells which of a listener's plays are later: times, the order of rows, or nothing.
        is_carved: Whether a published split had no validation part, so that it was carved from the training part.
        warnings: What is doubtful about the data, a sentence each.
    """

    name: str
    validation: Split
    test: Split
    exclude_seen: ExcludeSeen = "train+validation"
    order: Order = "time"
    is_carved: bool = False
    warnings: tuple[str, ...] = ()


def temporal(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int, new_only: bool = True) -> Protocol:
    """
    Split by date, with the same windows for all listeners.

    The validation window ends on the last day of the training part of `test`.

    Args:
        warehouse: The warehouse whose marts.interactions_daily is split.
        as_of: The last day of the test window.
        test_days: Length of each window [d].
        gap_days: Days left out between each window and its training part [d].
        new_only: Whether tracks that a listener knows from the training part are hidden (see `splits.split`).
    """
    window = partial(temporal_split, warehouse, test_days=test_days, gap_days=gap_days, new_only=new_only)
    test = window(as_of=as_of)
    validation = window(as_of=test.train.as_of)
    return Protocol("temporal", validation, test, "train+validation" if new_only else "none")


def leave_last_out(interactions: Interactions) -> Protocol:
    """
    Hold out each listener's last liked track for the test, and the one before it for validation.

    The last track is the most recently played one; ties are broken by the later catalogue row. Listeners with fewer
    than `MIN_LIKED` liked tracks are in the training part only. Since the held-out days differ between listeners, some
    training data is later than another listener's held-out track; `temporal` avoids this.
    """
    counts = np.diff(interactions.matrix.indptr)
    n_later = np.where(np.repeat(counts >= MIN_LIKED, counts), _n_later(interactions), MIN_LIKED)
    validation, test = (Split.hold_out(interactions, n_later > n, n_later == n) for n in (1, 0))
    return Protocol("leave-last-out", validation, test)


def from_folder(
    folder: Path, *, exclude_seen: ExcludeSeen = "train+validation", order: Order | None = None
) -> Protocol:
    """
    Read a published split from a folder (see `split_folder` for its files and `SplitFolder.pairs` for ages).

    The catalogue consists of all items that occur in any file, including item_features. Rows with a weight of at most 0
    count as seen but not liked, and are never held out. Held-out tracks that are excluded from lists because the
    listener has seen them are not evaluated, only counted as repeat plays.

    Args:
        folder: Contains train and test, and optionally validation, item_features and user_features. If validation is
            carved from train, both are the training part of the published split, and so are excluded together.
        exclude_seen: Which seen tracks are excluded from lists. 'train+validation': those seen in the training part of
            each split, which of `test` includes the validation part. 'train': those seen in the training part of
            `validation`, from the lists of both splits. 'none': no track.
        order: What tells which of a listener's rows are later. None: timestamps if there are any, otherwise the order
            of rows if it may be chronological (see `SplitFolder.read`).

    Raises:
        InputError: A file is missing or invalid, the files contradict each other (see `SplitFolder.read`), or
            `exclude_seen` or `order` is not one of its values.
    """
    if exclude_seen not in HIDDEN:
        raise InputError(f"exclude_seen: found {exclude_seen!r}, expected one of {', '.join(HIDDEN)}")
    tables = SplitFolder.read(folder, order=order, hidden=HIDDEN[exclude_seen])
    if tables.is_carved and exclude_seen == "train":
        exclude_seen = "train+validation"
    first, both = _interactions(tables, LEARNED[:1]), _interactions(tables, LEARNED)
    validation, test = (
        Split.of(train, tables.liked(part), hidden=_hidden(train, first, exclude_seen))
        for train, part in ((first, "validation"), (both, "test"))
    )
    return Protocol("fixed", validation, test, exclude_seen, tables.order, tables.is_carved, tables.warnings)


def _hidden(train: Interactions, first: Interactions, exclude_seen: ExcludeSeen) -> Csr:
    """Return the pairs that are excluded from lists, in the rows of `train`; `first` is the training part alone."""
    if exclude_seen == "none":
        return no_pairs(train)
    if exclude_seen == "train":
        n_tracks = len(train.tracks)
        return realign(first.seen, first.users.find(train.users.ids()), np.arange(n_tracks), n_tracks)
    return train.seen


def _n_later(interactions: Interactions) -> I64:
    """Return, for each liked track, how many of its listener's liked tracks are later; aligned with `matrix.data`."""
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
