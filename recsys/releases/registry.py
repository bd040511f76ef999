"""
The releases of a home: publish a release, find the current one, roll back to an earlier one, prune old ones.

A release is a folder of links to one run's warehouse, marts, model, export and indexes. `<home>/current` points at one
of them, and `warehouse/current.duckdb`, `marts/current`, `models/champion` and `exports/current` are links through it.
Replacing the link `current` therefore publishes everything at the same moment. Readers keep the files that they have
opened.
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

CHECKSUMS = "checksums.json"  # in the folder of a release
CHECKED = ("warehouse.duckdb", "marts", "labels")  # links whose files it lists; models, exports, indexes have their own
_FIXED_LINKS = {  # paths under the home that always lead to the current release
    "warehouse/current.duckdb": "../current/warehouse.duckdb",
    "marts/current": "../current/marts",
    "models/champion": "../current/model",
    "exports/current": "../current/export",
}


def publish(home: Home, name: str, release: Release) -> None:
    """Write a release to disk under an unused name (see `free_name`) and make it current."""
    final = home.path / "releases" / name
    with files.new_folder(final) as beside:
        for link, part in release.links().items():
            (beside / link).symlink_to(os.path.relpath(part, final))
        files.write_json(beside / CHECKSUMS, _checksums(release))
    make_current(home, name)


def _checksums(release: Release) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every file of the parts that have no checksums of their own, by the name of their link."""
    parts = {link: path for link, path in release.links().items() if link in CHECKED and path.exists()}
    return {
        link: files.checksums(path) if path.is_dir() else {"": files.sha256_of(path)} for link, path in parts.items()
    }


def note_checksums(home: Home, name: str) -> None:
    """Write the checksums of a release anew, after rows of listeners were erased from its parts."""
    files.write_json(home.path / "releases" / name / CHECKSUMS, _checksums(read(home, name)))


def damaged_file(home: Home, name: str) -> Path | None:
    """
    Return the first file of a release's warehouse, marts and label files that is missing or has changed; None if none.

    Releases of older versions have no checksums, so nothing can be found.
    """
    folder = home.path / "releases" / name
    if not (folder / CHECKSUMS).exists():
        return None
    try:
        expected: dict[str, dict[str, str]] = files.read_json(folder / CHECKSUMS)
        changed = [(link, files.changed_file(folder / link, sums)) for link, sums in expected.items()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return folder / CHECKSUMS
    return next(((folder / link).resolve() / file for link, file in changed if file is not None), None)


def free_name(home: Home, preferred: str) -> str:
    """Return the preferred name, numbered if a release has it: readers may have that release's files open."""
    taken = release_names(home)
    return next(name for name in chain([preferred], (f"{preferred}.{n}" for n in count(2))) if name not in taken)


def make_current(home: Home, name: str) -> None:
    """Make a release on disk the current one; warehouse, marts, model and export switch at the same moment."""
    for path, target in _FIXED_LINKS.items():
        link = home.path / path
        if not link.is_symlink():
            files.swap_link(link, target)
    files.swap_link(home.current, f"releases/{name}")


def current_name(home: Home) -> str | None:
    """Return the name of the current release; None before the first. Raises SetupError for a home that is newer."""
    home.refuse_newer()
    return home.current.readlink().name if home.current.is_symlink() and home.current.exists() else None


def current(home: Home) -> Release | None:
    """Return the current release; None before the first."""
    name = current_name(home)
    return read(home, name) if name else None


def read(home: Home, name: str) -> Release:
    """Read which parts a release on disk has, and where they are."""
    return Release.read(home.path / "releases" / name)


def relink(home: Home, name: str, link: str, target: Path) -> None:
    """Point one link of a release to another path, atomically; takedowns replace indexes this way."""
    folder = home.path / "releases" / name
    files.swap_link(folder / link, os.path.relpath(target, folder))


def release_names(home: Home) -> list[str]:
    """List the names of the releases on disk, in the order of publication."""
    folders = [path for path in (home.path / "releases").glob("*") if not path.name.startswith(".")]
    return [path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name))]


def index_folder(home: Home) -> Path:
    """Return the folder of the current release's vector index; raises InputError if it has none."""
    release = current(home)
    if release is None or release.index is None:
        raise InputError(
            "The current release has no vector index yet. Scan some music: recsys audio scan FOLDER, recsys build"
        )
    return release.index


def label_warehouse(home: Home, label_id: str) -> Path:
    """Return the path of a label's warehouse file in the current release; raises SetupError if there is none."""
    from recsys.warehouse.labels import file_name  # noqa: PLC0415 - `recsys runs` opens no warehouse

    release = current(home)
    path = release.labels / file_name(label_id) if release is not None and release.labels is not None else None
    if path is None or not path.exists():
        raise SetupError(
            f"The current release has no file for the label {label_id!r}: either no recording has "
            "this label, or the release was made by an older version. Publish a new release: recsys build"
        )
    return path


def champion(home: Home) -> dict[str, Any] | None:
    """Return name, config and run id of the champion, the recommender of the current release; None if there is none."""
    release = current(home)
    if release is None or release.model is None:
        return None
    if not (release.model / "config.json").exists():
        raise SetupError(
            f"The champion's model is missing: {release.model}. Use an earlier release: recsys rollback RUN"
        )
    with files.reading(release.model / "config.json", "Use an earlier release: recsys rollback RUN"):
        config: dict[str, Any] = dict(files.read_json(release.model / "config.json"))
    return config | {"run": release.model.parent.name}


def rollback(home: Home, name: str) -> None:
    """
    Make an earlier release current again.

    Raises:
        UnknownIds: No release on disk has this name.
        SetupError: A part of the release is missing on disk.
    """
    known = release_names(home)
    if name not in known:
        raise UnknownIds.of("release", [name], known, f"{home.path}/releases")
    missing = [path for path in read(home, name).links().values() if not path.exists()]
    if missing:
        raise SetupError(f"The release {name} lacks {missing[0]}. List the others: recsys runs")
    make_current(home, name)


PUBLISHED = "publish.done.json"  # a file in the folder of each published run; it stays when the release is pruned


def prune(home: Home, keep: int, leftovers: Collection[str]) -> list[str]:
    """
    Remove all but the newest `keep` releases, with the files that only removed releases use; logs and metrics stay.

    Three kinds of older releases are kept too: the current release, releases whose warehouse is open in another
    process, and releases whose model or export is used by a kept release. For runs that were refused or interrupted,
    the working files of all but the newest `keep` runs are removed.

    Args:
        home: The home; the caller must hold its lock.
        keep: Number of newest releases to keep, >= 0.
        leftovers: Patterns of files in a run's folder that are not needed without its release.

    Returns:
        The names of the removed releases.
    """
    releases = {name: read(home, name) for name in release_names(home)}
    newest = set(list(releases)[max(0, len(releases) - keep) :])
    kept = {name for name in releases if name in newest or name == current_name(home)}
    kept |= {name for name, release in releases.items() if any(map(_is_open, release.warehouses()))}
    used = {part for name in kept for part in releases[name].links().values()}
    kept |= {name for name, release in releases.items() if used & {release.model, release.export}}
    removed = [name for name in releases if name not in kept]
    for name in removed:
        files.remove(home.path / "releases" / name)
        for part in releases[name].links().values():
            if part not in used:
                files.remove_database(part)
    _remove_unpublished(home, keep, leftovers)
    return removed


def _remove_unpublished(home: Home, keep: int, leftovers: Collection[str]) -> None:
    """Remove the working files of old runs without a release, except log, verdict, metrics and what lists showed."""
    used = {part for name in release_names(home) for part in read(home, name).links().values()}
    folders = sorted(home.runs.glob("*"), key=lambda folder: (folder.stat().st_mtime_ns, folder.name))
    for folder in folders[: max(0, len(folders) - keep)]:
        model = home.path / "models" / folder.name
        if not any(part.is_relative_to(model) for part in used):
            paths = [path for pattern in ("*.done.json", *leftovers) for path in folder.glob(pattern)]
            for path in (model, *(path for path in paths if path.name != PUBLISHED)):
                files.remove(path)


def _is_open(warehouse: Path) -> bool:
    """Return whether another process has the file open: DuckDB readers hold a shared lock on it."""
    if not warehouse.exists():
        return False
    with warehouse.open("r+b") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(stream, fcntl.LOCK_UN)
    return False
