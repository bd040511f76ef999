"""
A takedown: recordings leave every index at once, and all lists from the next night on.

It enters the lake as any file of takedowns would, so that no later night brings a recording back; then it goes through
the indexes of every release, so that no rollback does.
"""

from collections.abc import Sequence
from datetime import date
from itertools import count
from pathlib import Path

import polars as pl

from recsys import files
from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.installation import extras
from recsys.releases import registry
from recsys.releases.registry import Release
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def take_down(home: Home, track_ids: Sequence[str], grounds: str, *, today: date) -> list[str]:
    """
    Take recordings down, in a home held by the caller.

    Args:
        home: Whose lake and releases.
        track_ids: Tracks; what has the same bytes leaves the index of fingerprints with them.
        grounds: Why, kept beside it; may be empty.
        today: The day of the takedown.

    Returns:
        The releases whose indexes held one of them.

    Raises:
        UnknownIds: The published warehouse has no such track.
        SetupError: A release has an index, and what reads it is not installed.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        known = warehouse.query(internal_sql("track_ids"))["track_id"]
    unknown = sorted(set(track_ids) - set(known))
    if unknown:
        raise UnknownIds.of("track", unknown, known.to_list(), "the warehouse")
    indexed = [name for name in registry.release_names(home) if _has_index(registry.read(home, name))]
    if indexed:
        extras.require("faiss")  # before anything is written
    _enter(home, track_ids, grounds, today)
    return [name for name in indexed if _taken_out(home, name, track_ids)]


def _enter(home: Home, track_ids: Sequence[str], grounds: str, today: date) -> None:
    """Bring the takedown into the lake by the door that every file takes."""
    rows = pl.DataFrame({"track_id": sorted(set(track_ids))}).with_columns(
        taken_down_at=pl.lit(str(today)), grounds=pl.lit(grounds or None, dtype=pl.String)
    )
    path = home.path / "takedowns" / f"{files.short_hash(str(today), grounds, *rows['track_id'])}.csv"
    files.write_whole(path, rows.write_csv)
    ingest(home, [path], today=today, table="takedowns")


def _has_index(release: Release) -> bool:
    return release.index is not None or release.prints is not None


def _taken_out(home: Home, name: str, track_ids: Sequence[str]) -> bool:
    from recsys.matching.fingerprint_index import FingerprintIndex  # noqa: PLC0415
    from recsys.search.vector_index import Index  # noqa: PLC0415 - releases without music have no index

    release = registry.read(home, name)
    with Warehouse.open(release.warehouse) as warehouse:
        audio_ids = warehouse.query(internal_sql("audio_of_tracks"), {"track_ids": list(track_ids)})[
            "audio_id"
        ].to_list()
    is_changed = False
    parts = (("index", Index, release.index, track_ids), ("prints", FingerprintIndex, release.prints, audio_ids))
    for link, kind, folder, gone in parts:
        if folder is not None and set(gone) & set((index := kind.load(folder)).ids):
            index.remove(gone)
            index.save(fresh := _free(folder))
            registry.relink(home, name, link, fresh)
            files.remove(folder)
            is_changed = True
    return is_changed


def _free(folder: Path) -> Path:
    """Return the next name beside a folder that is not taken."""
    first = folder.name.partition("~")[0]
    return next(path for n in count(1) if not (path := folder.with_name(f"{first}~{n}")).exists() and path != folder)
