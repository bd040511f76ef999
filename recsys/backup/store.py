"""
A folder of backups.

    <folder>/format.json            that this is a folder of backups, and the version of its form
    <folder>/objects/ab/abcd...     contents of files, by SHA-256; equal contents are kept once
    <folder>/snapshots/<name>.json  one manifest per backup; the name ends in the beginning of its SHA-256
    <folder>/erased.txt             hashes of listeners who were erased, from all backups (see `recsys.lake.denied`)

The manifest is written last, so that a snapshot is complete or is not there. Nothing that is there is changed, except
that objects which no snapshot names are removed.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recsys import files
from recsys.backup import manifest
from recsys.backup.manifest import Manifest
from recsys.errors import HomeIsBusy, InputError, SetupError, UnknownIds

FORMAT = 1
_N_DIGITS = 16  # of the manifest's SHA-256, in the name of a snapshot
_PRIVATE = 0o700


class BackupStore:
    """A folder of backups; it may not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects, self._snapshots = folder / "objects", folder / "snapshots"
        self._format, self._erased = folder / "format.json", folder / "erased.txt"

    def require(self) -> None:
        """Raise InputError if the folder is not one of backups, SetupError if a newer program has written it."""
        if not self._format.is_file():
            raise InputError(f"{self.folder} is not a folder of backups: it has no format.json. Name the right folder")
        with files.reading(self._format, "Restore from another folder of backups"):
            version = int(files.read_json(self._format)["format"])
        if version != FORMAT:
            raise SetupError(
                f"{self.folder} has version {version} of the form of backups, this program knows version {FORMAT}. "
                "Update this program"
            )

    def is_new(self) -> bool:
        """Return whether nothing is in the folder yet, or only what a first backup left that was stopped at once."""
        found = {path.name for path in self.folder.glob("[!.]*")}
        return found <= {self._objects.name, self._snapshots.name}

    def create(self) -> None:
        """Make the folder, if it is new."""
        if self.is_new():
            for folder in (self.folder, self._objects, self._snapshots):
                folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            files.write_json(self._format, {"format": FORMAT})
        self.require()

    @contextmanager
    def locked(self, *, for_reading: bool = False) -> Iterator[None]:
        """
        Hold the lock of the folder in a `with` block: for writing alone, for reading together with other readers.

        The folder itself is locked, so that a backup on a read-only disk can be restored.

        Raises:
            HomeIsBusy: Another process holds the lock.
        """
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if for_reading else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            yield
        except BlockingIOError as busy:
            raise HomeIsBusy(
                f"{self.folder} is in use by another backup or restore. Wait for it to end, then try again"
            ) from busy
        finally:
            os.close(handle)

    def has(self, sha256: str, n_bytes: int) -> bool:
        """Return whether a content is there, by its size; `damaged` compares the bytes."""
        path = self.path_of(sha256)
        return path.is_file() and path.stat().st_size == n_bytes

    def path_of(self, sha256: str) -> Path:
        """Return where a content is."""
        return self._objects / sha256[:2] / sha256

    def add(self, source: Path, sha256: str) -> None:
        """Copy a content, and read the copy back; raises SetupError if it differs from its SHA-256."""
        with files.new_files([self.path_of(sha256)]) as [copy]:
            shutil.copyfile(source, copy)
            if files.sha256_of(copy) != sha256:
                raise SetupError(
                    f"{source} changed while it was copied, or the disk of {self.folder} is faulty. Run it again"
                )

    def snapshots(self) -> list[str]:
        """Return the names of all snapshots, the oldest first."""
        return sorted(path.stem for path in self._snapshots.glob("[!.]*.json"))

    def newest(self) -> str | None:
        """Return the name of the newest snapshot; None if there is none."""
        return next(reversed(self.snapshots()), None)

    def read(self, name: str) -> Manifest:
        """Read a snapshot; raises UnknownIds if there is none of this name, SetupError if it is damaged."""
        if name not in self.snapshots():
            raise UnknownIds.of("snapshot", [name], self.snapshots(), str(self._snapshots))
        path = self._snapshots / f"{name}.json"
        content = path.read_bytes()
        if not name.endswith(_digest(content)):
            raise SetupError(f"{path} is damaged: its checksum differs. Remove it, or restore another snapshot")
        return manifest.decode(content, path)

    def require_later(self, made_at: datetime) -> None:
        """Raise SetupError if the newest snapshot is of a later second: pruning would remove the one that is made."""
        newest = self.newest()
        if newest and newest.partition("-")[0] > _moment(made_at):
            raise SetupError(
                f"The newest backup in {self.folder} is {newest}, and the clock says {_moment(made_at)}, which is "
                "earlier. Correct the clock; if that backup was made under a wrong clock, use another folder"
            )

    def write(self, snapshot: Manifest) -> str:
        """Write a snapshot of which all contents are there; return its name."""
        content = snapshot.encoded()
        name = f"{_moment(datetime.fromisoformat(snapshot.made_at))}-{_digest(content)}"
        files.write_atomically(self._snapshots / f"{name}.json", lambda path: path.write_bytes(content))
        return name

    def erased(self) -> list[str]:
        """Return the lines of erased.txt: hashes of erased listeners."""
        return read_lines(self._erased)

    def add_erased(self, lines: list[str]) -> None:
        """Keep the hashes of erased listeners."""
        if set(lines) - set(self.erased()):
            files.write_text(self._erased, "".join(f"{line}\n" for line in dict.fromkeys([*self.erased(), *lines])))

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest `keep` (>= 1) snapshots; return their names."""
        removed = self.snapshots()[:-keep]
        for name in removed:
            files.remove(self._snapshots / f"{name}.json")
        return removed

    def remove_unused(self) -> None:
        """Remove the contents that no snapshot names; raises SetupError, and removes nothing, if one is damaged."""
        used = {file.sha256 for name in self.snapshots() for file in self.read(name).files}
        for path in self._objects.glob("*/*"):
            if path.name not in used:
                files.remove(path)

    def remove_damaged(self) -> list[str]:
        """Read all contents, remove those that differ from their SHA-256, and return these."""
        damaged = [path for path in sorted(self._objects.glob("*/[!.]*")) if files.sha256_of(path) != path.name]
        for path in damaged:
            files.remove(path)
        return [path.name for path in damaged]

    def incomplete(self) -> list[str]:
        """Return the snapshots of which a content is missing."""
        return [name for name in self.snapshots() if not self._is_complete(self.read(name))]

    def _is_complete(self, snapshot: Manifest) -> bool:
        return all(self.has(file.sha256, file.n_bytes) for file in snapshot.files)


def read_lines(path: Path) -> list[str]:
    """Return the lines of an `erased.txt`; none if the file does not exist."""
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise SetupError if a disk has less free space than is about to be written to a folder, which may not exist."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if n_bytes > free:
        raise SetupError(f"{folder} needs {n_bytes:,} bytes, its disk has {free:,} free. Free space, then run it again")


def _moment(made_at: datetime) -> str:
    return f"{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_N_DIGITS]
