"""
Releases: what was published, what is current, how to go back and what may be thrown away.

A release is a folder of links to one run's warehouse, marts, model, export and indexes. `<home>/current` points at one
of them, and `warehouse/current.duckdb`, `marts/current`, `models/champion` and `exports/current` all lead through it:
swapping that one link publishes everything in the same instant. A reader keeps the files it has opened.
"""

import fcntl
import os
from collections.abc import Collection
from itertools import chain, count
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home
from recsys.releases.release import Release
from recsys.warehouse.labels import file_name

_DOORS = {
    "warehouse/current.duckdb": "../current/warehouse.duckdb",
    "marts/current": "../current/marts",
    "models/champion": "../current/model",
    "exports/current": "../current/export",
}


def publish(home: Home, name: str, release: Release) -> None:
    """Make a release under a name that is free (`free_name`) and point `current` at it."""
    final = home.path / "releases" / name
    with files.new_folder(final) as beside:
        for link, part in release.links().items():
            (beside / link).symlink_to(os.path.relpath(part, final))
    point_at(home, name)


def free_name(home: Home, wanted: str) -> str:
    """Return a name that no release has yet, so that nothing a reader may hold is ever written again."""
    taken = release_names(home)
    return next(name for name in chain([wanted], (f"{wanted}.{n}" for n in count(2))) if name not in taken)


def point_at(home: Home, name: str) -> None:
    """Make a release that is on disk current: warehouse, marts, model and export in the same instant."""
    for door, target in _DOORS.items():
        link = home.path / door
        if not link.is_symlink():
            files.swap_link(link, target)
    files.swap_link(home.current, f"releases/{name}")


def current_name(home: Home) -> str | None:
    """Return the name of the current release, None before the first."""
    return home.current.readlink().name if home.current.is_symlink() and home.current.exists() else None


def current(home: Home) -> Release | None:
    """Return the current release, None before the first."""
    name = current_name(home)
    return read(home, name) if name else None


def read(home: Home, name: str) -> Release:
    """Return the parts of a release that is on disk."""
    return Release.read(home.path / "releases" / name)


def relink(home: Home, name: str, link: str, part: Path) -> None:
    """Have a part of a release lead elsewhere, in one step: what was taken down leaves every release."""
    folder = home.path / "releases" / name
    files.swap_link(folder / link, os.path.relpath(part, folder))


def release_names(home: Home) -> list[str]:
    """List the releases that are on disk, the oldest publication first."""
    folders = [path for path in (home.path / "releases").glob("*") if not path.name.startswith(".")]
    return [path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name))]


def index_folder(home: Home) -> Path:
    """Return where the current release's index of what sounds alike lies; raises InputError where nothing was heard."""
    release = current(home)
    if release is None or release.index is None:
        raise InputError("The warehouse has no vectors yet. Scan some music: recsys audio scan FOLDER, recsys build")
    return release.index


def label_warehouse(home: Home, label_id: str) -> Path:
    """Return the real path of a label's own file in the current release; raises SetupError where it has none."""
    release = current(home)
    path = release.labels / file_name(label_id) if release is not None and release.labels is not None else None
    if path is None or not path.exists():
        raise SetupError(
            f"The current release has no file for the label {label_id!r}: no recording names it, or the release is "
            "older than these files. Publish one: recsys build"
        )
    return path


def champion(home: Home) -> dict[str, Any] | None:
    """Return run, name and config of the recommender in charge, None before the first."""
    release = current(home)
    if release is None or release.model is None:
        return None
    if not (release.model / "config.json").exists():
        raise SetupError(f"The model in charge is gone: {release.model}. Take an earlier release: recsys rollback RUN")
    described: dict[str, Any] = files.read_json(release.model / "config.json")
    return described | {"run": release.model.parent.name}


def rollback(home: Home, name: str) -> None:
    """
    Make an earlier release current again.

    Raises:
        UnknownIds: There is no such release on disk.
        SetupError: A part of it is gone.
    """
    known = release_names(home)
    if name not in known:
        raise UnknownIds.of("release", [name], known, f"{home.path}/releases")
    missing = [path for path in read(home, name).links().values() if not path.exists()]
    if missing:
        raise SetupError(f"The release {name} lacks {missing[0]}. Choose another: recsys runs")
    point_at(home, name)


PUBLISHED = "publish.done.json"  # of a run whose lists were shown, pruned or not


def prune(home: Home, keep: int, leftovers: Collection[str]) -> list[str]:
    """
    Throw away the oldest releases beyond the newest `keep`, with what only they use; logs and metrics stay.

    The current release stays, every release of which a reader holds a warehouse open, and those whose model or export
    one of these uses. Of runs that published nothing (refused, interrupted), what lies beyond the newest `keep` goes.

    Args:
        home: Where.
        keep: How many releases stay.
        leftovers: Patterns of files in a run's folder that are of no use without its release.

    Returns:
        The names of the releases thrown away.
    """
    releases = {name: read(home, name) for name in release_names(home)}
    newest = set(list(releases)[max(0, len(releases) - keep) :])
    staying = {name for name in releases if name in newest or name == current_name(home)}
    staying |= {name for name, release in releases.items() if any(map(_is_held, release.warehouses()))}
    used = {part for name in staying for part in releases[name].links().values()}
    staying |= {name for name, release in releases.items() if used & {release.model, release.export}}
    gone = [name for name in releases if name not in staying]
    for name in gone:
        files.remove(home.path / "releases" / name)
        for part in releases[name].links().values():
            if part not in used:
                files.remove_database(part)
    _forget_unpublished(home, keep, leftovers)
    return gone


def _forget_unpublished(home: Home, keep: int, leftovers: Collection[str]) -> None:
    """Remove what old runs without a release left behind; log, verdict, metrics and what was drawn for lists stay."""
    used = {part for name in release_names(home) for part in read(home, name).links().values()}
    folders = sorted(home.runs.glob("*"), key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
    for folder in folders[: max(0, len(folders) - keep)]:
        model = home.path / "models" / folder.name
        if not any(part.is_relative_to(model) for part in used):
            found = [path for pattern in ("*.done.json", *leftovers) for path in folder.glob(pattern)]
            for left in (model, *(path for path in found if path.name != PUBLISHED)):
                files.remove(left)


def _is_held(warehouse: Path) -> bool:
    """Say whether another process has the file open: DuckDB readers hold a shared lock on it."""
    if not warehouse.exists():
        return False
    with warehouse.open("r+b") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(stream, fcntl.LOCK_UN)
    return False
