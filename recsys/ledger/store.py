"""
The ledger on disk: append-only entries under `lake/label_figures/`, each a folder of Parquet files with checksums.

    lake/label_figures/000001-<run>/   an entry: what one closing, void or restart adds, and `entry.json`
    lake/label_figures/_pending/<run>/ an entry that becomes valid when its run is published
    label_figures.json                 number and checksum of the last entry, to notice entries that are missing

`entry.json` has the SHA-256 of each file and of the previous `entry.json`, so that a missing or changed entry is found.
"""

from pathlib import Path

import polars as pl

from recsys import files
from recsys.errors import InputError
from recsys.home import Home
from recsys.ledger.lines import TABLES, Lines

_FIRST = ""  # the checksum before the first entry
_UNREADABLE = (OSError, ValueError, KeyError, TypeError)  # of a JSON file that is missing or damaged


class Ledger:
    """The ledger of one home."""

    def __init__(self, home: Home) -> None:
        self.folder = home.lake / "label_figures"
        self._last = home.path / "label_figures.json"

    def read(self) -> Lines:
        """Read and verify all entries; raises InputError if one is missing or damaged."""
        entries, previous = self._entries(), _FIRST
        for number, entry in enumerate(entries, start=1):
            if not _is_intact(entry, number, previous):
                raise _damaged(f"the entry {number} is missing or differs from its checksum")
            previous = files.sha256_of(entry / "entry.json")
        n_written = self._n_written()
        if len(entries) < n_written:
            raise _damaged(f"it has {len(entries)} entries, {n_written} were written")
        return Lines.sum(read_lines(entry) for entry in entries)

    def _n_written(self) -> int:
        try:
            return int(files.read_json(self._last)["entries"]) if self._last.exists() else 0
        except _UNREADABLE:
            raise _damaged(f"{self._last.name} cannot be read") from None

    def prepare(self, run_id: str, lines: Lines) -> None:
        """Write the entry of a run, which `commit` makes valid once the run is published."""
        if any(not table.is_empty() for table in lines.tables.values()):
            with files.new_folder(self._pending(run_id)) as folder:
                write_lines(folder, lines)

    def commit(self, run_id: str) -> None:
        """Make the pending entry of a run valid; without one, nothing happens."""
        pending, entries = self._pending(run_id), self._entries()
        if not pending.exists():
            return
        previous = files.sha256_of(entries[-1] / "entry.json") if entries else _FIRST
        sums = {path.name: files.sha256_of(path) for path in sorted(pending.glob("*.parquet"))}
        files.write_json(pending / "entry.json", {"files": sums, "previous": previous})
        final = self.folder / f"{len(entries) + 1:06d}-{run_id}"
        files.place_folder(pending, final)
        files.write_json(self._last, {"entries": len(entries) + 1, "sha256": files.sha256_of(final / "entry.json")})

    def pending(self) -> list[str]:
        """List the runs with a pending entry."""
        return sorted(path.name for path in (self.folder / "_pending").glob("*") if not path.name.startswith("."))

    def discard(self, run_id: str) -> None:
        """Remove the pending entry of a run that was not published."""
        files.remove(self._pending(run_id))

    def append(self, name: str, lines: Lines) -> None:
        """Add an entry that belongs to no run: a void or a restart."""
        self.prepare(name, lines)
        self.commit(name)

    def set_aside(self) -> Path | None:
        """Move damaged entries to a folder beside the ledger, for a new start; return it, None if there are none."""
        files.remove(self._last)
        if not self.folder.exists():
            return None
        aside = next(
            path for n in range(1, 10_000) if not (path := self.folder.with_name(f"_label_figures_{n}")).exists()
        )
        self.folder.rename(aside)
        return aside

    def _pending(self, run_id: str) -> Path:
        return self.folder / "_pending" / run_id

    def _entries(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("[0-9]*-*") if path.is_dir())


def read_lines(folder: Path) -> Lines:
    """Read the Parquet files of an entry."""
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    return Lines.of({name: pl.read_parquet(path) for name, path in paths.items() if path.exists()})


def write_lines(folder: Path, lines: Lines) -> None:
    """Write a Parquet file for each table that has rows into an existing folder."""
    for name, table in lines.tables.items():
        if not table.is_empty():
            table.write_parquet(folder / f"{name}.parquet", compression="zstd")


def _is_intact(entry: Path, number: int, previous: str) -> bool:
    if not entry.name.startswith(f"{number:06d}-"):
        return False
    found = {path.name: files.sha256_of(path) for path in entry.glob("*.parquet")}
    try:
        return bool(files.read_json(entry / "entry.json") == {"files": found, "previous": previous})
    except _UNREADABLE:
        return False


def _damaged(what: str) -> InputError:
    return InputError(
        f"lake/label_figures cannot be used: {what}. No period is closed until it is restored from a backup. "
        "Without a backup, start it anew: recsys labels restart"
    )
