"""
The two indexes of a release: of sound embeddings and of fingerprints, updated from those of the last release.

If an index of the last release is damaged, a new one is made from the tables, and the log says so.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recsys import files
from recsys.errors import SetupError
from recsys.lake.store import Lake
from recsys.releases.release import Release
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

Loaded = TypeVar("Loaded")


def place_sounds(warehouse: Path, folder: Path, last: Release | None, note: Callable[..., None]) -> Path | None:
    """Make the index of sound embeddings in `folder`, from the last one; None if no recording has an embedding."""
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("tracks_with_sound")).is_empty():
            return None
        from recsys.search.by_sound import build_index  # noqa: PLC0415 - a run without music needs no faiss
        from recsys.search.vector_index import Index  # noqa: PLC0415

        known = _kept("what sounds alike", last.index if last else None, Index.load, note)
        build_index(opened, known).save(folder)
    return folder


def place_fingerprints(
    warehouse: Path, folder: Path, *, made: Path | None, lake: Lake, last: Release | None, note: Callable[..., None]
) -> Path | None:
    """Copy the run's fingerprint index, or make it, replacing half a copy; None if no recording has a fingerprint."""
    if made is not None and made.exists():
        with files.new_folder(folder) as beside:
            shutil.copytree(made, beside, dirs_exist_ok=True)
        return folder
    index = fingerprint_index_of(warehouse, lake, last, note)
    if index is None:
        return None
    index.save(folder)
    return folder


def fingerprint_index_of(
    warehouse: Path, lake: Lake, last: Release | None, note: Callable[..., None]
) -> "FingerprintIndex | None":
    """Bring the current release's index of fingerprints up to new tables; None where no recording has one."""
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("fingerprinted_tracks")).is_empty():
            return None
        from recsys.matching import catalogue_index  # noqa: PLC0415 - a run without music needs no network

        known = _kept("fingerprints", last.fingerprints if last else None, catalogue_index.load, note)
        return catalogue_index.up_to_date(opened, lake, known)


def _kept(what: str, folder: Path | None, load: Callable[[Path], Loaded], note: Callable[..., None]) -> Loaded | None:
    try:
        return None if folder is None else load(folder)
    except SetupError as damaged:
        note(event="warning", text=f"the index of {what} is made anew: {damaged}")
        return None
