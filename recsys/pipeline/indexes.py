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
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import Prints

Loaded = TypeVar("Loaded")


def place(run: Run, warehouse: Path, name: str) -> tuple[Path | None, Path | None]:
    """Make the indexes of a release that is to be called `name`; None for each of which there is nothing to hold."""
    folder = run.home.path / "indexes"
    return _place_sounds(run, warehouse, folder / name), _place_prints(run, warehouse, folder / f"{name}-prints")


def _place_sounds(run: Run, warehouse: Path, folder: Path) -> Path | None:
    with Warehouse.open(warehouse) as opened:
        if opened.frame("select 1 from marts.track_vectors limit 1").is_empty():
            return None
        from recsys.search.by_sound import index_of  # noqa: PLC0415 - a night without music needs no faiss
        from recsys.search.vector_index import Index  # noqa: PLC0415

        release = registry.current(run.home)
        last = _kept(run, "what sounds alike", release.index if release else None, Index.load)
        index_of(opened, last).save(folder)
    return folder


def _place_prints(run: Run, warehouse: Path, folder: Path) -> Path | None:
    if run.prints.exists():
        shutil.copytree(run.prints, folder)
        return folder
    index = prints_of(run, warehouse)
    if index is None:
        return None
    index.save(folder)
    return folder


def prints_of(run: Run, warehouse: Path) -> "Prints | None":
    """Bring the current release's index of fingerprints up to new tables; None where no recording has one."""
    with Warehouse.open(warehouse) as opened:
        if opened.frame("select 1 from marts.track_audio where audio_id is not null limit 1").is_empty():
            return None
        from recsys.matching import catalogue_index  # noqa: PLC0415 - a night without music needs no network

        release = registry.current(run.home)
        last = _kept(run, "fingerprints", release.prints if release else None, catalogue_index.load)
        return catalogue_index.prints_of(opened, Lake(run.home), last)


def _kept(run: Run, what: str, folder: Path | None, load: Callable[[Path], Loaded]) -> Loaded | None:
    try:
        return None if folder is None else load(folder)
    except SetupError as damaged:
        run.log(event="warning", text=f"the index of {what} is made anew: {damaged}")
        return None
