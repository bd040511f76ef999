"""
Files that are whole or not there: write beside, fsync, rename; swap links in one step.

Everything the platform leaves on disk for others goes through these few functions.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

AUDIO_SUFFIXES = frozenset(
    f".{suffix}" for suffix in ("mp3", "ogg", "oga", "opus", "flac", "m4a", "mp4", "aac", "wav", "aif", "aiff", "wma")
)


def is_audio(path: Path) -> bool:
    """Say whether a file is music, going by its name."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def is_hidden(path: Path, folder: Path) -> bool:
    """Say whether a file, or a folder between it and `folder`, has a name that begins with a point."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def sync(path: Path) -> None:
    """Force a file's bytes, or a folder's entries, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Force every file and folder under `folder`, and itself, to disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then give it that name: readers see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    write(beside)
    sync(beside)
    beside.replace(path)
    sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write a whole JSON file, keys sorted, so that equal values are equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """
    Make a folder whole or not at all: the block fills a hidden folder beside it, which it is given.

    When the block ends, everything in it is forced to disk and it takes the place of `folder`. When the block fails,
    it is removed and `folder` stays as it was; what a killed process left of it is removed by the next attempt.
    """
    beside = folder.with_name(f".{folder.name}.partial")
    remove(beside)
    beside.mkdir(parents=True)
    try:
        yield beside
        place_folder(beside, folder)
    except BaseException:
        remove(beside)
        raise


def place_folder(beside: Path, folder: Path) -> None:
    """Give a finished folder its final name, replacing an unfinished earlier attempt."""
    sync_tree(beside)
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove(folder)
    beside.rename(folder)
    sync(folder.parent)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_database(path: Path) -> None:
    """Remove a DuckDB file and what a killed writer left beside it: the log would break the next file."""
    for ending in ("", ".wal", ".wal.checkpoint", ".wal.recovery", ".tmp"):
        remove(path.with_name(path.name + ending))


def copy_database(source: Path, target: Path) -> None:
    """Copy a DuckDB file that nobody has open, in place of an unfinished earlier copy."""
    remove_database(target)
    shutil.copyfile(source, target)


def swap_link(link: Path, target: str) -> None:
    """Point the symbolic link at `target` in one step: readers follow the old one or the new one, never none."""
    link.parent.mkdir(parents=True, exist_ok=True)
    beside = link.with_name(f".{link.name}.swap")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
    sync(link.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def short_hash(*parts: str) -> str:
    """Return twelve hex digits that name this sequence of texts."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:12]
