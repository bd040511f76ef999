"""
The lake: raw tables as Parquet, append-only; a source file makes one batch in each table it speaks of.

    lake/<table>/ds=YYYY-MM-DD/<batch>.parquet    a log's day is that of its rows, a register's that of its ingest
    lake/quarantine/ds=YYYY-MM-DD/<batch>.parquet refused rows, by day of ingest
    lake/_ledger/<source>.json                    the batches of one source; its presence commits them
    lake/_staging/<source>/                       a source being written
    lake/_time_zone                               the market's time zone, at whose midnight a log's day ends; else UTC

A source is staged whole, then entered in the ledger, then moved into place. After a crash `recover` finishes the move
of sources in the ledger and drops the others, so that a source is in the lake wholly or not at all.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from recsys import files
from recsys.errors import InputError
from recsys.home import Home
from recsys.lake.contract import CONTRACTS, Contract

UTC = "UTC"
_RESTORE = (
    "Put lake/ back from a backup; without one, move it aside (listener.key stays) and ingest all source files again, "
    "in the order in which they came"
)


@dataclass(frozen=True)
class Batch:
    """
    A ledger entry: what one source file brought to one table.

    Attributes:
        batch: Its name: a hash of the source's bytes and the table.
        batch_no: Counts the batches of the lake from 1; later rows of a register win by it.
        table: The raw table; `unknown` for a file that could not be read.
        source_file: The file's name, without its folder, and without e-mail and IP addresses.
        source_sha256: The file's identity.
        ingested_on: The day of ingest.
        n_read, n_accepted, n_quarantined, n_duplicate: Row counts; the last three add up to the first.
        days: The `ds` partitions it wrote.
        members: SHA-256 of the files it was made from, where it was made from several.
    """

    batch: str
    batch_no: int
    table: str
    source_file: str
    source_sha256: str
    ingested_on: str
    n_read: int
    n_accepted: int
    n_quarantined: int
    n_duplicate: int
    days: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StagedBatch:
    """
    A batch about to be written.

    Attributes:
        entry: What the ledger is to say.
        parts: The rows of each `ds` partition.
        quarantine: Refused rows.
    """

    entry: Batch
    parts: dict[str, pl.DataFrame]
    quarantine: pl.DataFrame


class Lake:
    """Raw tables of one home."""

    def __init__(self, home: Home) -> None:
        self.folder = home.lake
        self._ledger = home.lake / "_ledger"
        self._staging = home.lake / "_staging"
        self._time_zone = home.lake / "_time_zone"

    @property
    def zone(self) -> ZoneInfo:
        """The market's time zone: at its midnight a log's day ends."""
        return ZoneInfo(self._time_zone.read_text().strip() if self._time_zone.exists() else UTC)

    def set_zone(self, name: str) -> None:
        """
        Cut the days of logs at the midnight of a time zone, from the first file on.

        Raises:
            InputError: There is no such time zone, or days were cut by another one already.
        """
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise InputError(
                f"There is no time zone {name!r}. Expected a name of the IANA database, such as Europe/Berlin"
            ) from unknown
        if zone.key == self.zone.key:
            return
        if self.batches():
            raise InputError(
                f"The days of {self.folder} end at midnight in {self.zone.key}, and {name} was asked for. Days that "
                "are in the lake are not cut again: leave it, or ingest everything into a new home"
            )
        self._time_zone.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(self._time_zone, f"{zone.key}\n")

    def batches(self) -> list[Batch]:
        """List every batch, in the order they came."""
        entries = (Batch(**entry) for path in self._ledger.glob("*.json") for entry in files.read_json(path))
        return sorted(entries, key=lambda entry: entry.batch_no)

    def sources(self) -> set[str]:
        """Return the SHA-256 of every file that the lake has taken in."""
        return {sha256 for entry in self.batches() for sha256 in entry.members or [entry.source_sha256]}

    def fingerprint(self) -> str:
        """Return a hash that changes with what the lake holds."""
        return files.short_hash(*sorted(entry.batch for entry in self.batches()))

    def recover(self) -> None:
        """Finish or drop what an interrupted ingest left behind."""
        for staged in self._staging.glob("*"):
            if (self._ledger / f"{staged.name}.json").exists():
                self._move_into_place(staged)
            files.remove(staged)

    def verify(self) -> int:
        """
        Hold the Parquet files against the ledger: a table has as many rows of a batch as were accepted or refused.

        Only the files' footers are read, so a lake of thousands of files takes a second.

        Returns:
            How many files there are.

        Raises:
            InputError: A file cannot be read, rows of a batch are missing, or there are more than the ledger knows.
        """
        batches = self.batches()
        paths = self._parquet_files()
        stored: Counter[tuple[str, str]] = Counter()
        for path in paths:
            stored[path.parent.parent.name, path.stem] += _n_rows(path)
        promised = Counter({(batch.table, batch.batch): batch.n_accepted for batch in batches})
        promised.update({("quarantine", batch.batch): batch.n_quarantined for batch in batches})
        wrong = sorted(key for key in promised | stored if promised[key] != stored[key])
        if wrong:
            table, batch = wrong[0]
            n_missing = promised[wrong[0]] - stored[wrong[0]]
            sources = [entry.source_file for entry in batches if entry.batch == batch] or ["no source in the ledger"]
            found = f"{n_missing:,} rows are missing" if n_missing > 0 else f"{-n_missing:,} rows too many"
            others = f" (and in {len(wrong) - 1:,} other places)" if len(wrong) > 1 else ""
            raise InputError(
                f"lake/{table}: {found} in the batch {batch} of {sources[0]}{others}; "
                f"the ledger says {promised[wrong[0]]:,}, the files hold {stored[wrong[0]]:,}. {_RESTORE}"
            )
        return len(paths)

    def _parquet_files(self) -> list[Path]:
        """List the files in place, and those of committed sources that are yet to be moved there."""
        staged = [folder for folder in self._staging.glob("*") if (self._ledger / f"{folder.name}.json").exists()]
        tables = [path for path in self.folder.glob("*") if path not in (self._ledger, self._staging, self._time_zone)]
        return [path for folder in (*tables, *staged) for path in folder.rglob("*.parquet")]

    def rows(self, table: str, days: list[date] | None = None) -> pl.LazyFrame:
        """Return a table's rows (of some `ds` partitions), without the partition column; empty where it has none."""
        folder = self.folder / table
        parts = [folder] if days is None else [folder / f"ds={day}" for day in days]
        paths = sorted(path for part in parts for path in part.rglob("*.parquet"))
        if not paths:
            return pl.LazyFrame(schema=CONTRACTS[table].schema)
        return pl.scan_parquet(paths, glob=False, hive_partitioning=False)

    def latest(self, contract: Contract, *, of: str | None = None) -> pl.LazyFrame:
        """Return a register's newest row of each key; `of`: only of this track."""
        rows = self.rows(contract.table)
        chosen = rows if of is None else rows.filter(track_id=of)
        return chosen.sort(contract.newest_by).unique(contract.key, keep="last", maintain_order=True)

    def commit(self, source_sha256: str, staged: list[StagedBatch]) -> None:
        """Write the batches of one source: all of them or nothing."""
        folder = self._staging / source_sha256[:12]
        files.remove(folder)
        folder.mkdir(parents=True)
        for each in staged:
            name, table = f"{each.entry.batch}.parquet", each.entry.table
            for day, rows in each.parts.items():
                _write(folder / table / f"ds={day}" / name, rows)
            if not each.quarantine.is_empty():
                _write(folder / "quarantine" / f"ds={each.entry.ingested_on}" / name, each.quarantine)
        files.sync_tree(folder)
        files.write_json(self._ledger / f"{folder.name}.json", [asdict(each.entry) for each in staged])
        self._move_into_place(folder)
        files.remove(folder)

    def _move_into_place(self, staged: Path) -> None:
        for path in staged.rglob("*.parquet"):
            final = self.folder / path.relative_to(staged)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)


def _n_rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.ComputeError) as broken:
        where = "/".join(path.parts[-3:])
        raise InputError(f"lake/{where} is no whole Parquet file: {broken}. {_RESTORE}") from broken


def _write(path: Path, rows: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path, compression="zstd", statistics=True)
