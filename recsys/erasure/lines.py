"""Lines of a text file that name a listener: CSV and JSON Lines of an export, logs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def rows(path: Path, user_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the lines that name one of the listeners, each with its number from 1."""
    with path.open("rb") as stream:
        return [
            {"line": number, "text": line.decode("utf-8", "replace").rstrip("\n")}
            for number, line in enumerate(stream, start=1)
            if _names(line, user_ids)
        ]


def copy_without(path: Path, target: Path, user_ids: Sequence[str]) -> None:
    """Write a copy without the lines that name one of the listeners."""
    with path.open("rb") as stream, target.open("wb") as copy:
        copy.writelines(line for line in stream if not _names(line, user_ids))


def listeners(path: Path) -> set[str]:  # noqa: ARG001 - the tables of the same run and export have them
    """Return no listeners: lines have no columns."""
    return set()


def _names(line: bytes, user_ids: Sequence[str]) -> bool:
    return any(user_id.encode() in line for user_id in user_ids)
