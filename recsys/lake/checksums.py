"""
Compare the lake's files with the checksums of the batch log.

The complete check reads every file. The daily check reads only files whose size or time of change differs from the last
check, new files, and a rotating share of all others, so that each file is read at least once in `ROTATION_DAYS` days;
a bit that flips on the disk changes neither size nor time.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from zlib import crc32

from recsys import files

ROTATION_DAYS = 30


def name_in_lake(path: Path) -> str:
    """Return the name of a Parquet file, also of a staged one: <table>/ds=<day>/<batch>.parquet."""
    return "/".join(path.parts[-3:])


def of_folder(folder: Path, batch: str) -> dict[str, str]:
    """Return the SHA-256 of each Parquet file of a batch under a folder, by its name in the lake."""
    return {name_in_lake(path): files.sha256_of(path) for path in sorted(folder.rglob(f"{batch}.parquet"))}


def changed_files(paths: list[Path], expected: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files whose bytes differ from the expected SHA-256; a file without one cannot be compared."""
    for path in paths:
        sha256 = expected.get(name_in_lake(path))
        if sha256 is not None and files.sha256_of(path) != sha256:
            yield path


class LastCheck:
    """Size and time of change of each file at its last check, kept in a JSON file in the lake."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def due(self, paths: list[Path], day: date) -> list[Path]:
        """Return the files to compare on a day: new and changed ones, and the day's share of all others."""
        known = self._known()
        return [path for path in paths if known.get(name_in_lake(path)) != _state(path) or _is_turn(path, day)]

    def note(self, paths: list[Path]) -> None:
        """Keep the state of all files, after those that were due have been compared."""
        files.write_json(self._path, {name_in_lake(path): _state(path) for path in paths})

    def _known(self) -> dict[str, list[int]]:
        try:
            known = files.read_json(self._path) if self._path.exists() else {}
        except ValueError:  # damaged: every file is compared again
            known = {}
        return known if isinstance(known, dict) else {}


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _is_turn(path: Path, day: date) -> bool:
    return crc32(name_in_lake(path).encode()) % ROTATION_DAYS == day.toordinal() % ROTATION_DAYS
