"""
The manifest of a snapshot: every file, folder and link of a home at one moment.

A manifest is untrusted when it is read: whoever can write to the backup could make a restore write outside of the home.
So paths and links must stay inside the home, and nothing may lie below a link or a file.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from recsys.errors import SetupError
from recsys.files import printable

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, Meta(ge=0)]
Mode = Annotated[int, Meta(ge=0, le=0o777)]


@dataclass(frozen=True)
class StoredFile:
    """
    A file of a home.

    Attributes:
        path: Path below the home, with slashes.
        sha256: SHA-256 of its bytes, in hex.
        n_bytes: Size.
        mtime_ns, ctime_ns: When its content and its entry were changed last [ns since 1970].
        mode: Permissions.
    """

    path: str
    sha256: Sha256
    n_bytes: Size
    mtime_ns: int
    ctime_ns: int
    mode: Mode


@dataclass(frozen=True)
class StoredFolder:
    """A folder of a home: path below the home, time of change [ns since 1970] and permissions."""

    path: str
    mtime_ns: int
    mode: Mode


@dataclass(frozen=True)
class StoredLink:
    """A symbolic link of a home: its path below the home, and its target as it is written in the link."""

    path: str
    target: str


@dataclass(frozen=True)
class Manifest:
    """
    A home at one moment.

    Attributes:
        made_at: When the backup was made, ISO 8601 in UTC.
        program: Version of the program that made it.
        key_fingerprint: Of the key that the home's listener ids are hashed with; empty if it has none yet.
        mode: Permissions of the home's folder.
        files, folders, links: What the home had, sorted by path.
    """

    made_at: str
    program: str
    key_fingerprint: str
    mode: Mode
    files: tuple[StoredFile, ...]
    folders: tuple[StoredFolder, ...]
    links: tuple[StoredLink, ...]

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(file.n_bytes for file in self.files)

    def encoded(self) -> bytes:
        """Return the manifest as JSON; equal manifests give equal bytes."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    def paths(self) -> Iterator[str]:
        """Yield the path of everything in it."""
        for entries in (self.folders, self.files, self.links):
            yield from (entry.path for entry in entries)


def decode(content: bytes, source: Path) -> Manifest:
    """
    Read a manifest.

    Args:
        content: Its bytes.
        source: Its file, for messages.

    Raises:
        SetupError: It is no manifest, or a path or link in it leads out of the home.
    """
    try:
        manifest = msgspec.convert(json.loads(content), Manifest)
    except (ValueError, RecursionError) as damaged:
        raise SetupError(f"{source} is not the manifest of a backup ({damaged}). Restore another snapshot") from damaged
    if (unsafe := _unsafe_path(manifest)) is not None:
        raise SetupError(
            f"{source} is refused: {printable(unsafe)!r} in it leads out of the home, or is there twice. recsys backup "
            "writes no such path, so somebody has changed the file. Restore another snapshot, from a place that only "
            "you can write to"
        )
    return manifest


def _unsafe_path(manifest: Manifest) -> str | None:
    """Return the first path that must not be restored; None if there is none."""
    seen, not_folders = set[str](), {file.path for file in manifest.files} | {link.path for link in manifest.links}
    for path in manifest.paths():
        if path in seen or not _is_inside(path) or any(str(parent) in not_folders for parent in _parents(path)):
            return path
        seen.add(path)
    return next((link.path for link in manifest.links if not stays_inside(link.path, link.target)), None)


def _parents(path: str) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(path).parents)


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return str(pure) == path != "." and not pure.is_absolute() and ".." not in pure.parts and "\0" not in path


def stays_inside(path: str, target: str) -> bool:
    """
    Return whether a link stays inside the home.

    The target may go up at its beginning alone, and no further than to the home: after the name of another link, `..`
    would lead to somewhere else than it seems to.
    """
    pure = PurePosixPath(target)
    n_up = next((n for n, part in enumerate(pure.parts) if part != ".."), len(pure.parts))
    is_plain = bool(target) and "\0" not in target and not pure.is_absolute() and ".." not in pure.parts[n_up:]
    return is_plain and n_up <= len(PurePosixPath(path).parts) - 1
