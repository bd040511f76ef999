"""
A takedown: recordings leave every index at once, and all lists from the next night on.

It enters the lake as any file of takedowns would, so that no later night brings a recording back; then it goes through
the indexes of every release, so that no rollback does.
"""

from collections.abc import Sequence
from datetime import date
from itertools import count
from pathlib import Path
from pkgutil import resolve_name

import polars as pl

from recsys import files
from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.installation import extras
from recsys.releases import registry
from recsys.releases.release import IndexPart
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
    indexed = [name for name in registry.release_names(home) if registry.read(home, name).indexes()]
    if indexed:
        extras.need("faiss")  # before anything is written
    _enter(home, track_ids, grounds, today)
    return [name for name in indexed if _remove_from_indexes(home, name, track_ids)]


def _enter(home: Home, track_ids: Sequence[str], grounds: str, today: date) -> None:
    """Bring the takedown into the lake by the door that every file takes."""
    rows = pl.DataFrame({"track_id": sorted(set(track_ids))}).with_columns(
        taken_down_at=pl.lit(str(today)), grounds=pl.lit(grounds or None, dtype=pl.String)
    )
    path = home.path / "takedowns" / f"{files.short_hash(str(today), grounds, *rows['track_id'])}.csv"
    files.write_whole(path, rows.write_csv)
    ingest(home, [path], today=today, table="takedowns")


def _remove_from_indexes(home: Home, name: str, track_ids: Sequence[str]) -> bool:
    """Replace each index of a release that holds one of the tracks by one without them; return whether any did."""
    release = registry.read(home, name)
    with Warehouse.open(release.warehouse) as warehouse:
        audio = warehouse.query(internal_sql("audio_of_tracks"), {"track_ids": list(track_ids)})
    removed = {"track_id": list(track_ids), "audio_id": audio["audio_id"].to_list()}
    changed = [_is_removed(home, name, part, removed[part.entries]) for part in release.indexes()]
    return any(changed)


def _is_removed(home: Home, name: str, part: IndexPart, ids: Sequence[str]) -> bool:
    """Replace an index that holds one of the ids, in one step; return whether it did."""
    index = resolve_name(part.reader).load(part.folder)
    if not set(ids) & set(index.ids):
        return False
    index.remove(ids)
    index.save(replacement := _free(part.folder))
    registry.relink(home, name, part.link, replacement)
    files.remove(part.folder)
    return True


def _free(folder: Path) -> Path:
    """Return the next name beside a folder that is not taken."""
    first = folder.name.partition("~")[0]
    return next(path for n in count(1) if not (path := folder.with_name(f"{first}~{n}")).exists() and path != folder)
