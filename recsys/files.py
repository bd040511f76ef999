"""
Atomic writes of files, folders and links: write beside the target, flush to disk (fsync), rename.

Everything that the platform leaves on disk for other processes is written by these functions, so that a reader sees
either the old version or the new one, never an incomplete one.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recsys.errors import RecsysError, SetupError

AUDIO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("mp3", "ogg", "oga", "opus", "flac", "m4a", "mp4", "aac", "wav", "aif", "aiff", "wma"),
        *("ac3", "caf", "mka", "mkv", "mov", "webm", "wv"),
    )
)
_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")


def is_audio(path: Path) -> bool:
    """Return whether a file is audio, judged by its suffix."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def printable(name: str) -> str:
    """Return a file's name with bytes that are not UTF-8 escaped, so that it can be written and printed."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unescaped(printable_name: str) -> str:
    """Return the name of a file from its printable form; text that looks like an escape becomes a byte, too."""
    parts = _ESCAPED_BYTE.split(os.fsencode(printable_name))  # text, byte, text ...
    return os.fsdecode(b"".join(bytes.fromhex(part.decode()) if n % 2 else part for n, part in enumerate(parts)))


def is_hidden(path: Path, folder: Path) -> bool:
    """Return whether the name of a file, or of a folder between it and `folder`, begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def sync(path: Path) -> None:
    """Flush a file's bytes, or a folder's entries, to disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush `folder` and every file and folder below it to disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a temporary file beside `path`, then rename that file to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    sync(partial)
    partial.replace(path)
    sync(path.parent)


@contextmanager
def new_files(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """
    Create files atomically: yield a hidden path beside each, to which the `with` block writes.

    When the block ends, the hidden files are flushed to disk and renamed. If it raises, they are removed. Each process
    has hidden files of its own, so that of several that write the same file, the last to finish replaces the others.

    Raises:
        SetupError: A folder cannot be made or written to.
    """
    partials = [path.with_name(f"{_partial_prefix(path)}{os.getpid()}.partial") for path in paths]
    for path in paths:
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned(path)
    try:
        yield partials
        for partial, path in zip(partials, paths, strict=True):
            with _writing(path):
                sync(partial)
                partial.replace(path)
                sync(path.parent)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_writable(path.parent, error.strerror or type(error).__name__) from error


def not_writable(folder: Path, reason: str) -> SetupError:
    """Return the error that a file could not be written to a folder, for a reason in words."""
    place = printable(str(folder))
    return SetupError(f"{place}: a file could not be written ({reason}). Check the free space and the permissions")


def _partial_prefix(path: Path) -> str:
    """Return how the hidden names of `new_files` begin on this machine: short, whatever the length of a file's name."""
    return f".{short_hash(path.name, socket.gethostname())}."


def remove_abandoned(path: Path) -> None:
    """Remove the hidden files that `new_files` left beside a file in processes of this machine that were killed."""
    prefix = _partial_prefix(path)
    for partial in path.parent.glob(f"{prefix}*.partial"):
        owner = partial.name.removeprefix(prefix).removesuffix(".partial")
        if owner.isdecimal() and not _is_running(int(owner)):
            partial.unlink(missing_ok=True)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: object) -> None:
    """
    Write a JSON file atomically; keys are sorted, so that equal values give equal bytes.

    Bytes of file names that are not UTF-8 are escaped as JSON escapes characters, so that `read_json` returns them.
    """
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    write_text(path, text.encode("utf-8", "backslashreplace").decode())


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


_FAULTS = (OSError, ValueError, TypeError, KeyError, IndexError, EOFError, zlib.error, zipfile.BadZipFile)
_FAULTY_PACKAGES = ("polars", "duckdb", "_duckdb")  # whose errors have no common base class in Python's own


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """
    Raise SetupError if a file that the platform wrote cannot be read in the `with` block: it is missing or damaged.

    Args:
        path: The file or folder, for the message.
        remedy: What to do, as a sentence without its full stop.
    """
    try:
        yield
    except RecsysError:
        raise
    except Exception as fault:
        if not isinstance(fault, _FAULTS) and type(fault).__module__.partition(".")[0] not in _FAULTY_PACKAGES:
            raise
        reason = str(fault).partition("\n")[0] or type(fault).__name__
        raise SetupError(f"{path} is missing or damaged ({reason}). {remedy}") from fault


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path relative to the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def changed_file(folder: Path, expected: Mapping[str, str]) -> str | None:
    """Return the first file of a folder that is missing or differs from its expected SHA-256; None if all agree."""
    return next((name for name, sha256 in expected.items() if not _has_sha256(folder / name, sha256)), None)


def _has_sha256(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """
    Create a folder atomically: yield a hidden folder beside it, to which the `with` block writes.

    When the block ends, the hidden folder is flushed to disk and replaces `folder`. If the block raises an exception,
    the hidden folder is removed and `folder` stays as it was. A hidden folder of a killed process is removed first.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    remove(partial)
    partial.mkdir(parents=True)
    try:
        yield partial
        place_folder(partial, folder)
    except BaseException:
        remove(partial)
        raise


def place_folder(finished: Path, folder: Path) -> None:
    """Flush a finished folder to disk and rename it to `folder`, replacing any folder there."""
    sync_tree(finished)
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove(folder)
    finished.rename(folder)
    sync(folder.parent)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it exists; the target of a link is kept."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_database(path: Path) -> None:
    """Remove a DuckDB file and its auxiliary files: DuckDB would replay an old write-ahead log into a new file."""
    for ending in ("", ".wal", ".wal.checkpoint", ".wal.recovery", ".tmp"):
        remove(path.with_name(path.name + ending))


def copy_database(source: Path, target: Path) -> None:
    """Copy a DuckDB file that no process has open; an existing copy, complete or not, is replaced."""
    remove_database(target)
    shutil.copyfile(source, target)


def swap_link(link: Path, target: str) -> None:
    """Point a symbolic link at `target` atomically: at any time, it points to the old or the new target."""
    link.parent.mkdir(parents=True, exist_ok=True)
    swap = link.with_name(f".{link.name}.swap")
    swap.unlink(missing_ok=True)
    swap.symlink_to(target)
    swap.replace(link)
    sync(link.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def short_hash(*parts: str, n_digits: int = 12) -> str:
    """Return a hash of a sequence of texts: the first hex digits of its SHA-256."""
    return hashlib.sha256("\x00".join(parts).encode(errors="surrogateescape")).hexdigest()[:n_digits]
