"""
Releases: what was published, what is current, how to go back and what may be thrown away.

A release is a folder of links to one run's warehouse, marts, model and export. `<home>/current` points at one of them,
and `warehouse/current.duckdb`, `marts/current`, `models/champion` and `exports/current` all lead through it: swapping
that one link publishes all four in the same instant. A reader keeps the files it has opened.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import SetupError, UnknownIds
from recsys.home import Home

_DOORS = {
    "warehouse/current.duckdb": "../current/warehouse.duckdb",
    "marts/current": "../current/marts",
    "models/champion": "../current/model",
    "exports/current": "../current/export",
}


@dataclass(frozen=True)
class Release:
    """What a release links to; the model and the export may be those of an earlier run."""

    warehouse: Path
    marts: Path
    model: Path | None = None
    export: Path | None = None

    def links(self) -> dict[str, Path]:
        """Name each part by its link."""
        parts = {"warehouse.duckdb": self.warehouse, "marts": self.marts, "model": self.model, "export": self.export}
        return {name: path for name, path in parts.items() if path is not None}


def publish(home: Home, name: str, release: Release) -> None:
    """Make a release and point `current` at it."""
    beside = home.path / "releases" / f".{name}.partial"
    files.remove(beside)
    beside.mkdir(parents=True)
    final = beside.with_name(name)
    for link, part in release.links().items():
        (beside / link).symlink_to(os.path.relpath(part, final))
    files.place_folder(beside, final)
    _point_at(home, name)


def _point_at(home: Home, name: str) -> None:
    for door, target in _DOORS.items():
        link = home.path / door
        if not link.is_symlink():
            files.swap_link(link, target)
    files.swap_link(home.current, f"releases/{name}")


def current_name(home: Home) -> str | None:
    """Return the name of the current release, None before the first."""
    return home.current.readlink().name if home.current.is_symlink() else None


def current(home: Home) -> Release | None:
    """Return the current release, None before the first."""
    name = current_name(home)
    return _read(home, name) if name else None


def _read(home: Home, name: str) -> Release:
    folder = home.path / "releases" / name
    model, export = (_target(folder / link) for link in ("model", "export"))
    return Release((folder / "warehouse.duckdb").resolve(), (folder / "marts").resolve(), model, export)


def _target(link: Path) -> Path | None:
    return link.resolve() if link.is_symlink() else None


def release_names(home: Home) -> list[str]:
    """List the releases that are on disk, the oldest publication first."""
    folders = [path for path in (home.path / "releases").glob("*") if not path.name.startswith(".")]
    return [path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name))]


def champion(home: Home) -> dict[str, Any] | None:
    """Return name and config of the recommender in charge, None before the first."""
    release = current(home)
    if release is None or release.model is None:
        return None
    described: dict[str, Any] = files.read_json(release.model / "config.json")
    return described


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
    missing = [path for path in _read(home, name).links().values() if not path.exists()]
    if missing:
        raise SetupError(f"The release {name} lacks {missing[0]}. Choose another: recsys runs")
    _point_at(home, name)


def prune(home: Home, keep: int) -> list[str]:
    """
    Throw away the oldest releases beyond the newest `keep`, with what only they use; logs and metrics stay.

    The current release stays, and every release whose warehouse a reader holds open. Of runs that published nothing
    (refused, interrupted), the working files beyond the newest `keep` runs go too.

    Returns:
        The names of the releases thrown away.
    """
    names = release_names(home)
    old = names[: max(0, len(names) - keep)]
    gone = [name for name in old if name != current_name(home) and not _is_held(_read(home, name).warehouse)]
    kept = {path for name in names if name not in gone for path in _read(home, name).links().values()}
    for name in gone:
        parts = _read(home, name).links().values()
        files.remove(home.path / "releases" / name)
        for part in parts:
            if part not in kept:
                files.remove(part)
    _forget_unpublished(home, names, keep)
    return gone


def _forget_unpublished(home: Home, released: list[str], keep: int) -> None:
    """Remove what old runs without a release left behind; their log, verdict and metrics stay."""
    folders = sorted(home.runs.glob("*"), key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
    for folder in folders[: max(0, len(folders) - keep)]:
        if folder.name not in released and f"{folder.name}-tables" not in released:
            files.remove(home.path / "models" / folder.name)
            for working in (*folder.glob("*.done.json"), folder / "build.duckdb", folder / "trial"):
                files.remove(working)


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
