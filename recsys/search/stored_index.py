"""
An index on disk: a folder of files and `about.json`, which says what they hold and has the checksum of each.

Both kinds of index, of what sounds alike and of fingerprints, are saved and checked here, and refuse an id twice.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import InputError, SetupError

ABOUT = "about.json"


class StaleIndex(SetupError):  # noqa: N818 - reads as the sentence it prints
    """The index holds vectors of a network of another version than expected."""


def save(folder: Path, about: Mapping[str, Any], write: Callable[[Path], object]) -> None:
    """
    Write an index, whole or not at all.

    Args:
        folder: Where it is to lie; an index that is there is replaced.
        about: What its files do not say, as JSON can; `sha256` is added.
        write: Fills the folder that it is given.
    """
    with files.new_folder(folder) as beside:
        write(beside)
        checksums = {path.name: files.sha256_of(path) for path in sorted(beside.iterdir())}
        files.write_json(beside / ABOUT, {**about, "sha256": checksums})


def load(folder: Path, content: str, version: str | None = None) -> dict[str, Any]:
    """
    Read what an index says of itself, after every file has been held against its checksum.

    Args:
        folder: Where it lies.
        content: What it should hold, for the message: 'fingerprints'.
        version: The version of the network that its vectors must come from; None accepts any.

    Returns:
        What `save` was given as `about`, and `sha256`: the checksum of each file.

    Raises:
        StaleIndex: Its vectors come from a network of another version.
        SetupError: It is missing or damaged.
    """
    if not (folder / ABOUT).exists():
        raise SetupError(f"{folder} holds no {content}. Run: recsys nightly")
    try:
        about: dict[str, Any] = files.read_json(folder / ABOUT)
        checksums = dict(about["sha256"])
    except (ValueError, KeyError, TypeError) as broken:
        raise _damaged(folder, ABOUT) from broken
    for name, sha256 in checksums.items():
        if not (folder / name).exists() or files.sha256_of(folder / name) != sha256:
            raise _damaged(folder, name)
    if version is not None and about["version"] != version:
        found = f"{folder} holds {content} of the network version {about['version']}"
        raise StaleIndex(f"{found}; expected {version}. Run: recsys nightly")
    return about


def refuse_repeated(ids: Sequence[str], index: str) -> None:
    """Raise InputError where an id stands twice; `index` is named in the message."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(f"{name!r} is in the {index} more than once; expected each id once")
        seen.add(name)


def _damaged(folder: Path, name: str) -> SetupError:
    return SetupError(f"{folder / name} is missing or damaged. Remove {folder} and run: recsys nightly")
