"""
An index on disk: a folder of data files and `description.json`, which describes them and has the checksum of each.

The vector index and the index of fingerprints are saved, loaded and checked by these functions.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import InputError, SetupError

DESCRIPTION_FILE = "about.json"


class StaleIndex(SetupError):  # noqa: N818 - reads as the sentence it prints
    """The vectors of the index were computed by another version of the network than expected."""


def save(folder: Path, description: Mapping[str, Any], write: Callable[[Path], object]) -> None:
    """
    Write an index atomically.

    Args:
        folder: Folder of the index; an existing index is replaced.
        description: Contents of `description.json`, JSON-serialisable; `sha256` and a `checksum` of all are added.
        write: Function that writes the data files to a given folder.
    """
    with files.new_folder(folder) as beside:
        write(beside)
        checksums = {path.name: files.sha256_of(path) for path in sorted(beside.iterdir())}
        described = {**description, "sha256": checksums}
        files.write_json(beside / DESCRIPTION_FILE, {**described, "checksum": _checksum(described)})


def load(folder: Path, content: str, version: str | None = None) -> dict[str, Any]:
    """
    Check every file of an index against its checksum and return its description.

    Args:
        folder: Folder of the index.
        content: What the index contains, for messages, such as 'fingerprints'.
        version: Required version of the network that computed the vectors; None accepts any.

    Returns:
        The saved `description`, with the added key `sha256`: file name -> checksum.

    Raises:
        StaleIndex: The vectors were computed by another version of the network.
        SetupError: The index is missing or damaged.
    """
    if not (folder / DESCRIPTION_FILE).exists():
        raise SetupError(f"{folder} contains no {content}. Create it: recsys nightly")
    try:
        description: dict[str, Any] = files.read_json(folder / DESCRIPTION_FILE)
        own_checksum = description.pop("checksum", None)  # indexes of older versions have none
        checksums = dict(description["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as broken:
        raise _damaged(folder, DESCRIPTION_FILE) from broken
    if own_checksum not in (None, _checksum(description)):
        raise _damaged(folder, DESCRIPTION_FILE)
    for name, sha256 in checksums.items():
        if not (folder / name).exists() or files.sha256_of(folder / name) != sha256:
            raise _damaged(folder, name)
    if version is not None and description["version"] != version:
        found = f"{folder} contains {content} of the network version {description['version']}"
        raise StaleIndex(f"{found}; expected {version}. Run: recsys nightly")
    return description


def _checksum(description: Mapping[str, Any]) -> str:
    return files.short_hash(json.dumps(description, sort_keys=True))


def refuse_repeated(ids: Sequence[str], index: str) -> None:
    """Raise InputError if an id occurs more than once; the message names `index`."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(f"{name!r} is in the {index} more than once; expected each id once")
        seen.add(name)


def _damaged(folder: Path, name: str) -> SetupError:
    return SetupError(f"{folder / name} is missing or damaged. Remove {folder} and run: recsys nightly")
