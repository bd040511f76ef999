"""
The indexes of a release, of what sounds alike and of fingerprints: made from its tables and the last release's indexes.

A damaged one is no reason to publish nothing: it is made anew, and the log says so.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recsys.errors import SetupError
from recsys.lake.store import Lake
from recsys.releases.registry import Release
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

Loaded = TypeVar("Loaded")


def place_sounds(warehouse: Path, folder: Path, last: Release | None, note: Callable[..., None]) -> Path | None:
    """Make the index of what sounds alike in `folder`, from the last one; None where no recording has a vector."""
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("tracks_with_sound")).is_empty():
            return None
        from recsys.search.by_sound import build_index  # noqa: PLC0415 - a night without music needs no faiss
        from recsys.search.vector_index import Index  # noqa: PLC0415

        known = _kept("what sounds alike", last.index if last else None, Index.load, note)
        build_index(opened, known).save(folder)
    return folder


def place_prints(
    warehouse: Path, folder: Path, *, made: Path | None, lake: Lake, last: Release | None, note: Callable[..., None]
) -> Path | None:
    """Copy the index of fingerprints that the run made, or make it; None where no recording has one."""
    if made is not None and made.exists():
        shutil.copytree(made, folder)
        return folder
    index = prints_of(warehouse, lake, last, note)
    if index is None:
        return None
    index.save(folder)
    return folder


def prints_of(
    warehouse: Path, lake: Lake, last: Release | None, note: Callable[..., None]
) -> "FingerprintIndex | None":
    """Bring the current release's index of fingerprints up to new tables; None where no recording has one."""
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("fingerprinted_tracks")).is_empty():
            return None
        from recsys.matching import catalogue_index  # noqa: PLC0415 - a night without music needs no network

        known = _kept("fingerprints", last.prints if last else None, catalogue_index.load, note)
        return catalogue_index.prints_of(opened, lake, known)


def _kept(what: str, folder: Path | None, load: Callable[[Path], Loaded], note: Callable[..., None]) -> Loaded | None:
    try:
        return None if folder is None else load(folder)
    except SetupError as damaged:
        note(event="warning", text=f"the index of {what} is made anew: {damaged}")
        return None
