"""
The indexes of a release, of embeddings, of verses and of fingerprints, updated from those of the last release.

If an index of the last release is damaged, it is rebuilt from the warehouse and the lake, and a warning is logged.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recsys import files
from recsys.errors import SetupError
from recsys.installation.extras import missing_message
from recsys.lake.store import Lake
from recsys.releases.release import Release
from recsys.text.encoder import VERSION as ENCODER
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, stored_tables

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

Loaded = TypeVar("Loaded")


def update_embedding_index(
    warehouse: Path, folder: Path, last: Release | None, note: Callable[..., None]
) -> Path | None:
    """
    Write the embedding index to `folder`, reusing the last release's vectors.

    Returns:
        `folder`; None if no recording has an embedding.
    """
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("tracks_with_sound")).is_empty():
            return None
        from recsys.search.by_sound import build_index  # noqa: PLC0415 - a run without music needs no faiss
        from recsys.search.vector_index import Index  # noqa: PLC0415

        known = _loaded("embedding index", last.index if last else None, Index.load, note)
        build_index(opened, known).save(folder)
    return folder


def update_verse_index(warehouse: Path, folder: Path, last: Release | None, note: Callable[..., None]) -> Path | None:
    """
    Write the index of verses to `folder`, reusing the last release's vectors.

    Returns:
        `folder`; None if no lyrics have vectors, or nothing is installed that searches vectors.
    """
    if missing_message("faiss"):
        return None
    with Warehouse.open(warehouse) as opened:
        if "marts.lyric_vectors" not in stored_tables(opened):
            return None
        if not opened.query(internal_sql("n_verses"), {"encoder": ENCODER}).item():
            return None
        from recsys.search.by_text import VerseIndex  # noqa: PLC0415 - a run without lyrics needs no faiss

        known = _loaded("index of verses", last.verses if last else None, VerseIndex.load, note)
        VerseIndex.build(opened, known).save(folder)
    return folder


def write_fingerprint_index(
    warehouse: Path, folder: Path, *, made: Path | None, lake: Lake, last: Release | None, note: Callable[..., None]
) -> Path | None:
    """
    Write the fingerprint index to `folder`, replacing an incomplete copy.

    Args:
        warehouse: The warehouse, which lists the recordings.
        folder: The folder to write.
        made: The folder of the index that the run has made. If it is None or missing, the last release's index is
            updated.
        lake: Contains the fingerprints of the recordings.
        last: The last release; None before the first.
        note: Logs an event.

    Returns:
        `folder`; None if no recording has a fingerprint.
    """
    if made is not None and made.exists():
        with files.new_folder(folder) as beside:
            shutil.copytree(made, beside, dirs_exist_ok=True)
        return folder
    index = updated_fingerprint_index(warehouse, lake, last, note)
    if index is None:
        return None
    index.save(folder)
    return folder


def updated_fingerprint_index(
    warehouse: Path, lake: Lake, last: Release | None, note: Callable[..., None]
) -> "FingerprintIndex | None":
    """Return the last release's fingerprint index, updated to a new warehouse; None if no recording has one."""
    with Warehouse.open(warehouse) as opened:
        if opened.query(internal_sql("fingerprinted_tracks")).is_empty():
            return None
        from recsys.matching import catalogue_index  # noqa: PLC0415 - a run without music needs no network

        known = _loaded("fingerprint index", last.fingerprints if last else None, catalogue_index.load, note)
        return catalogue_index.up_to_date(opened, lake, known)


def upload_prints(folder: Path, note: Callable[..., None]) -> "FingerprintIndex | None":
    """Return the fingerprints of the uploads; None without any, or if another version's network made them."""
    if not folder.exists():
        return None
    from recsys.matching import catalogue_index  # noqa: PLC0415 - a run without uploads needs no network

    return _loaded("index of uploads", folder, catalogue_index.load, note)


def _loaded(what: str, folder: Path | None, load: Callable[[Path], Loaded], note: Callable[..., None]) -> Loaded | None:
    """Load an index of the last release; None if there is none or, with a warning in the log, if it is damaged."""
    try:
        return None if folder is None else load(folder)
    except SetupError as damaged:
        note(event="warning", text=f"the {what} is rebuilt: {damaged}")
        return None
