"""
Back up a home: copy what is new since the last snapshot, then write the manifest.

A file whose size and times are those of the last snapshot is not read again. The others are read: their SHA-256 says
whether their content is there already, and a copy is compared with it. Files of the lake are compared with the batch
log, so that a damaged file does not enter a backup unnoticed.
"""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from recsys import __version__, files
from recsys.backup.manifest import Manifest, StoredFile, StoredFolder, StoredLink, stays_inside
from recsys.backup.store import BackupStore, read_lines, require_space
from recsys.errors import InputError, SetupError
from recsys.home import Home, locked
from recsys.lake.checksums import name_in_lake
from recsys.lake.store import Lake
from recsys.state.store import State

DELIVERIES = ("inbox", "uploads")  # as delivered: accounts in clear text, hours of audio
STATE = "state.sqlite"


@dataclass(frozen=True)
class Plan:
    """
    What a backup would do.

    Attributes:
        known: Files that are as in the last snapshot.
        changed: Files that are read, and copied if their content is new.
        folders, links: The other entries of the home.
        left_out: Names in the home that are left out, with their number of files.
    """

    known: list[StoredFile] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    folders: list[StoredFolder] = field(default_factory=list)
    links: list[StoredLink] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """Size of the files that are read: the most that is copied."""
        return sum(path.stat().st_size for path in self.changed)


@dataclass(frozen=True)
class Backup:
    """
    A finished backup.

    Attributes:
        name: The snapshot.
        n_files, n_bytes: What it has [count, bytes].
        n_copied, n_copied_bytes: What was new.
        left_out: Names in the home that are left out, with their number of files.
        removed: Older snapshots that were removed.
        incomplete: Snapshots that lack a content, because it was damaged and the home has it no more.
    """

    name: str
    n_files: int
    n_bytes: int
    n_copied: int
    n_copied_bytes: int
    left_out: dict[str, int]
    removed: list[str]
    incomplete: list[str]


def plan(home: Home, target: Path, *, with_key: bool = False) -> Plan:
    """
    Return what a backup to a folder would read, without changing anything.

    Args:
        home: The home.
        target: The folder of backups, which may not exist yet.
        with_key: Whether the backup has the key of listener ids.

    Raises:
        InputError: There is no home, or the folder is none of backups.
        SetupError: The home has a link that leads out of it.
    """
    store = BackupStore(target)
    _require_apart(home, target)
    if not store.is_new():
        store.require()
    newest = store.newest()
    last = {file.path: file for file in store.read(newest).files} if newest else {}
    found = Plan()
    left_out = {*DELIVERIES, *(() if with_key else (home.key_file.name,))}
    for name in sorted(left_out):
        if n_files := sum(path.is_file() for path in (home.path / name, *(home.path / name).rglob("*"))):
            found.left_out[name] = n_files
    for path in _entries(home.path, left_out):
        _add_to(found, home, path, last)
    return found


def back_up(
    home: Home,
    target: Path,
    *,
    made_at: datetime,
    with_key: bool = False,
    keep: int | None = None,
    verify: bool = False,
) -> Backup:
    """
    Write a snapshot of a home.

    Args:
        home: The home; its lock is held meanwhile.
        target: The folder of backups; made if it does not exist.
        made_at: The current instant, with time zone.
        with_key: Whether the backup has the key of listener ids.
        keep: Number of newest snapshots to keep, >= 1; None for all.
        verify: Whether to read all contents of the folder first; damaged ones are copied anew if the home has them.

    Raises:
        InputError: There is no home, or the folder is neither empty nor one of backups of this home.
        SetupError: The home or the folder is in use, a file is damaged, the disk is full, or the clock is behind the
            newest snapshot; the snapshots of before are complete.
    """
    store = BackupStore(target)
    _require_apart(home, target)
    with locked(home), _opened(store):
        _require_same_home(home, store)
        store.require_later(made_at)
        if verify:
            store.remove_damaged()
        found = plan(home, target, with_key=with_key)
        snapshot, copied = _copy(home, store, found, made_at)
        store.add_erased(read_lines(home.path / "erased.txt"))
        name = store.write(snapshot)
        removed = store.prune(keep) if keep else []
        store.remove_unused()
        incomplete = store.incomplete() if verify else []
    n_bytes = sum(file.n_bytes for file in copied)
    n_files = len(snapshot.files)
    return Backup(name, n_files, snapshot.n_bytes, len(copied), n_bytes, found.left_out, removed, incomplete)


@contextmanager
def _opened(store: BackupStore) -> Iterator[None]:
    store.create()
    with store.locked():
        yield


def _require_apart(home: Home, target: Path) -> None:
    """Raise InputError if there is no home, or one of the two folders contains the other."""
    if not home.version_file.exists():
        raise InputError(f"{home.path} is no home: it has no {home.version_file.name}. Name the right one by --home")
    here, there = home.path.resolve(), target.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise InputError(f"{target} and the home {home.path} contain one another. Choose a folder outside of the home")


def _require_same_home(home: Home, store: BackupStore) -> None:
    newest = store.newest()
    known = store.read(newest).key_fingerprint if newest else ""
    if known and (found := _key_fingerprint(home)) and found != known:
        raise InputError(
            f"{store.folder} has backups of another home, with another listener key. Choose another folder"
        )


def _key_fingerprint(home: Home) -> str:
    return home.key_fingerprint.read_text().strip() if home.key_fingerprint.exists() else ""


def _entries(root: Path, left_out: set[str]) -> Iterator[Path]:
    """Yield everything below a home that is backed up, sorted; links are not followed, hidden files are temporary."""
    for path in sorted(root.iterdir()):
        if not path.name.startswith(".") and path.name not in left_out and not path.name.startswith(f"{STATE}-"):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from _entries(path, set())


def _add_to(found: Plan, home: Home, path: Path, last: dict[str, StoredFile]) -> None:
    """Add an entry of the home to a plan; raises SetupError if it cannot be backed up."""
    name, state = path.relative_to(home.path).as_posix(), path.lstat()
    if stat.S_ISLNK(state.st_mode):
        target = str(path.readlink())
        if not stays_inside(name, target):
            raise SetupError(f"{path} is a link that leads out of the home. Move what it points to into the home")
        found.links.append(StoredLink(name, target))
    elif stat.S_ISDIR(state.st_mode):
        found.folders.append(StoredFolder(name, state.st_mtime_ns, stat.S_IMODE(state.st_mode) & 0o777))
    elif not stat.S_ISREG(state.st_mode):
        raise SetupError(f"{path} is neither a file nor a folder nor a link. Remove it from the home")
    elif (known := last.get(name)) and known == _stored(name, state, known.sha256):
        found.known.append(known)
    else:
        found.changed.append(path)


def _stored(name: str, state: os.stat_result, sha256: str, n_bytes: int | None = None) -> StoredFile:
    size = state.st_size if n_bytes is None else n_bytes
    return StoredFile(name, sha256, size, state.st_mtime_ns, state.st_ctime_ns, stat.S_IMODE(state.st_mode) & 0o777)


def _copy(home: Home, store: BackupStore, found: Plan, made_at: datetime) -> tuple[Manifest, list[StoredFile]]:
    """Copy the contents that are new; return the manifest, and the files that were copied."""
    require_space(store.folder, found.n_bytes)
    expected = {name: sha256 for batch in Lake(home).batch_log() for name, sha256 in batch.checksums.items()}
    stored, copied = [], []
    again = [home.path / file.path for file in found.known if not store.has(file.sha256, file.n_bytes)]
    for path in (*found.changed, *again):
        state = path.stat()  # before it is read: what changes meanwhile is read again by the next backup
        with _readable(home, path) as source:
            sha256 = files.sha256_of(source)
            _require_undamaged(home, path, sha256, expected)
            file = _stored(path.relative_to(home.path).as_posix(), state, sha256, source.stat().st_size)
            if not store.has(sha256, file.n_bytes):
                store.add(source, sha256)
                copied.append(file)
        stored.append(file)
    kept = [file for file in found.known if home.path / file.path not in set(again)]
    return _manifest(home, found, [*kept, *stored], made_at), copied


@contextmanager
def _readable(home: Home, path: Path) -> Iterator[Path]:
    """Yield a file to read: the file, or a consistent copy of the state file, which dashboards may be writing to."""
    if path != State(home).path:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        State(home).backup(Path(folder) / path.name)
        yield Path(folder) / path.name


def _require_undamaged(home: Home, path: Path, sha256: str, expected: Mapping[str, str]) -> None:
    """Raise SetupError if a file of the lake differs from the batch log."""
    name = name_in_lake(path)
    if path == home.lake / name and expected.get(name, sha256) != sha256:
        raise SetupError(
            f"{path} is damaged: its checksum differs from the batch log. Nothing was backed up. Restore the last "
            "snapshot to another folder (recsys restore), and copy the file from there"
        )


def _manifest(home: Home, found: Plan, stored: list[StoredFile], made_at: datetime) -> Manifest:
    return Manifest(
        made_at=made_at.isoformat(),
        program=__version__,
        key_fingerprint=_key_fingerprint(home),
        mode=stat.S_IMODE(home.path.stat().st_mode) & 0o777,
        files=tuple(sorted(stored, key=lambda file: file.path)),
        folders=tuple(found.folders),
        links=tuple(found.links),
    )
