"""Erase listeners from the lake: its raw tables, its quarantine, and the keys of rows that were taken back."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from recsys.erasure import parquet
from recsys.lake.store import Batch, Lake

_QUARANTINE = "quarantine"


def erase_rows(lake: Lake, paths: Iterable[Path], user_ids: Sequence[str]) -> set[str]:
    """
    Replace files of the lake by files without the rows that name a listener, one delivery at a time.

    The batch log then counts as if these rows had never been read.

    Args:
        lake: The lake.
        paths: The files that name one of the listeners.
        user_ids: The listeners.

    Returns:
        SHA-256 of the source files that brought these rows.
    """
    of_delivery: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        of_delivery[lake.delivery_of(path.stem)[0]].append(path)
    return {sha256 for name, changed in of_delivery.items() for sha256 in _change(lake, name, changed, user_ids)}


def _change(lake: Lake, name: str, paths: Sequence[Path], user_ids: Sequence[str]) -> set[str]:
    before = {str(path.relative_to(lake.folder)): pl.read_parquet(path, glob=False) for path in paths}
    after = {path: parquet.without(rows, user_ids) for path, rows in before.items()}
    lost = Counter({_place(path): before[path].height - rows.height for path, rows in after.items()})
    removed = [path for path, rows in after.items() if rows.is_empty()]
    _, entries = lake.delivery_of(Path(next(iter(before))).stem)
    lake.change(
        name,
        [_less(entry, lost, removed) for entry in entries],
        written={path: rows for path, rows in after.items() if path not in removed},
        removed=removed,
    )
    return {entry.source_sha256 for entry in entries}


def _place(path: str) -> tuple[bool, str, str]:
    """Return whether rows are refused ones, and their batch; the path is unique."""
    return Path(path).parts[0] == _QUARANTINE, Path(path).stem, path


def _less(entry: Batch, lost: Counter[tuple[bool, str, str]], removed: Sequence[str]) -> Batch:
    """Return an entry of the batch log without the lost rows, and without days that have no rows any more."""
    gone = Counter[bool]()
    for (is_refused, batch, _path), n_rows in lost.items():
        gone[is_refused] += n_rows if batch == entry.batch else 0
    return replace(
        entry,
        n_read=entry.n_read - gone.total(),
        n_accepted=entry.n_accepted - gone[False],
        n_quarantined=entry.n_quarantined - gone[True],
        days=[day for day in entry.days if f"{entry.table}/ds={day}/{entry.batch}.parquet" not in removed],
    )
