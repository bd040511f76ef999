"""
Takedowns: remove recordings from the indexes of all releases immediately, and from all lists by the next nightly run.

The takedown is also ingested into the lake, so later runs exclude the recordings. It is applied to the indexes of every
release on disk, so a rollback cannot restore the recordings there.
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


def take_down(home: Home, track_ids: Sequence[str], reason: str, *, today: date) -> list[str]:
    """
    Take recordings down.

    Args:
        home: The home; the caller must hold its lock.
        track_ids: Ids of the tracks to take down. Byte-identical files are removed from the fingerprint index too.
        reason: Reason of the takedown, stored with it; may be empty.
        today: Date of the takedown.

    Returns:
        The names of the releases from whose indexes a recording was removed.

    Raises:
        UnknownIds: A track is not in the published warehouse.
        SetupError: A release has an index, but the package that reads it is not installed.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        known = warehouse.query(internal_sql("track_ids"))["track_id"]
    unknown = sorted(set(track_ids) - set(known))
    if unknown:
        raise UnknownIds.of("track", unknown, known.to_list(), "the warehouse")
    indexed = [name for name in registry.release_names(home) if registry.read(home, name).indexes()]
    if indexed:
        extras.require("faiss")  # before anything is written
    _ingest_takedown(home, track_ids, reason, today)
    return [name for name in indexed if _remove_from_indexes(home, name, track_ids)]


def _ingest_takedown(home: Home, track_ids: Sequence[str], reason: str, today: date) -> None:
    """Write the takedown to a file and ingest it like any other source."""
    rows = pl.DataFrame({"track_id": sorted(set(track_ids))}).with_columns(
        taken_down_at=pl.lit(str(today)), takedown_reason=pl.lit(reason or None, dtype=pl.String)
    )
    path = home.path / "takedowns" / f"{files.short_hash(str(today), reason, *rows['track_id'])}.csv"
    files.write_atomically(path, rows.write_csv)
    ingest(home, [path], today=today, table="takedowns")


def _remove_from_indexes(home: Home, name: str, track_ids: Sequence[str]) -> bool:
    """Remove tracks from all indexes of a release; return whether any index changed."""
    release = registry.read(home, name)
    with Warehouse.open(release.warehouse) as warehouse:
        audio = warehouse.query(internal_sql("audio_of_tracks"), {"track_ids": list(track_ids)})
    removed = {"track_id": list(track_ids), "audio_id": audio["audio_id"].to_list()}
    changed = [_remove_from_index(home, name, part, removed[part.entries]) for part in release.indexes()]
    return any(changed)


def _remove_from_index(home: Home, name: str, part: IndexPart, ids: Sequence[str]) -> bool:
    """Replace an index by a copy without these entries, atomically; return whether it had any of them."""
    index = resolve_name(part.reader).load(part.folder)
    if not set(ids) & set(index.ids):
        return False
    index.remove(ids)
    index.save(replacement := _free_folder(part.folder))
    registry.relink(home, name, part.link, replacement)
    files.remove(part.folder)
    return True


def _free_folder(folder: Path) -> Path:
    """Return the first unused path among `folder~1`, `folder~2` and so on."""
    stem = folder.name.partition("~")[0]
    return next(path for n in count(1) if not (path := folder.with_name(f"{stem}~{n}")).exists())
