"""
The lake: raw tables as append-only Parquet files; a source file adds one batch to each table that it has rows for.

    lake/<table>/ds=YYYY-MM-DD/<batch>.parquet    rows, by day of the event; of a reference table, by day of ingest
    lake/quarantine/ds=YYYY-MM-DD/<batch>.parquet refused rows, by day of ingest
    lake/_ledger/<source>.json                    batch log: the batches of one source; writing this file commits them
    lake/_staging/<source>/                       a source that is being written
    lake/_checked.json                            size and time of change of each file at its last daily check
    lake/_listener_key                            fingerprint of the key that listener ids are hashed with
    lake/_time_zone                               market time zone, which decides the day of an event; default UTC
    lake/label_figures/                           the ledger of labels' figures (see `recsys.ledger.store`)

Ingest is a transaction per source: its files are staged, its batches are written to the batch log, and the files are
moved to the tables. After a crash, `recover` moves the staged files of sources in the batch log, and removes others.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from recsys import files
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.lake import checksums
from recsys.lake.contract import CONTRACTS, Contract

UTC = "UTC"
_RESTORE = (
    "Restore lake/ from a backup. Without one, move lake/ away (keep listener.key) and ingest all source files again, "
    "in their original order"
)


@dataclass(frozen=True)
class Batch:
    """
    An entry of the batch log: the rows that one source file added to one table.

    Attributes:
        batch: Id: a hash of the source's bytes and the table.
        batch_no: Number of the batch in the lake, from 1; the newest row of a reference table has the largest.
        table: The raw table; `unknown` for a file that could not be read.
        source_file: Name of the file without its folder; e-mail and IP addresses in it are replaced.
        source_sha256: SHA-256 of the file's bytes; the same bytes are ingested once.
        ingested_on: Day of ingest, ISO 8601.
        n_read, n_accepted, n_quarantined, n_duplicate: Row counts; the last three add up to the first.
        days: The `ds` partitions that the batch has rows in.
        members: SHA-256 of each file, if the source consists of several files (a scan of music); otherwise empty.
        checksums: SHA-256 of each Parquet file of the batch, by its path in the lake; empty for batches of versions
            that kept none.
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
    checksums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StagedBatch:
    """
    A batch that is ready to be written.

    Attributes:
        entry: Its entry in the batch log.
        parts: Day of the `ds` partition -> accepted rows.
        quarantine: Refused rows.
    """

    entry: Batch
    parts: dict[str, pl.DataFrame]
    quarantine: pl.DataFrame


class Lake:
    """The lake of one home: read, verify and append to its raw tables."""

    def __init__(self, home: Home) -> None:
        self.folder = home.lake
        self._batch_log = home.lake / "_ledger"
        self._staging = home.lake / "_staging"
        self._time_zone = home.lake / "_time_zone"
        self._last_check = home.lake / "_checked.json"

    @property
    def zone(self) -> ZoneInfo:
        """The market time zone: days begin and end at midnight in this time zone."""
        return ZoneInfo(self._time_zone.read_text().strip() if self._time_zone.exists() else UTC)

    def set_zone(self, name: str) -> None:
        """
        Set the market time zone of an empty lake.

        Raises:
            InputError: The time zone does not exist, or the lake already has batches in another one.
        """
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise InputError(
                f"There is no time zone {name!r}. Give a name of the IANA time zone database, such as Europe/Berlin"
            ) from unknown
        if zone.key == self.zone.key:
            return
        if self.batches():
            raise InputError(
                f"{self.folder} has the time zone {self.zone.key}, and {name} was requested. The time zone of a lake "
                "cannot change once it has data: omit the time zone, or ingest everything into a new home"
            )
        self._time_zone.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(self._time_zone, f"{zone.key}\n")

    def batches(self) -> list[Batch]:
        """List all batches of the batch log, in the order of ingest; raises SetupError if the log is damaged."""
        entries = (entry for path in self._batch_log.glob("*.json") for entry in _entries(path))
        return sorted(entries, key=lambda entry: entry.batch_no)

    def sources(self) -> set[str]:
        """Return the SHA-256 of every file that was ingested."""
        return {sha256 for entry in self.batches() for sha256 in entry.members or [entry.source_sha256]}

    def fingerprint(self) -> str:
        """Return a hash of the ids of all batches: it changes with the content of the lake."""
        return files.short_hash(*sorted(entry.batch for entry in self.batches()))

    def recover(self) -> None:
        """Finish an interrupted ingest: move committed files to their tables, and remove all other staged files."""
        for staged in self._staging.glob("*"):
            if (self._batch_log / f"{staged.name}.json").exists():
                self._move_into_place(staged)
            files.remove(staged)

    def verify(self, day: date | None = None) -> int:
        """
        Compare the Parquet files with the batch log: row counts by table and batch, and the checksum of each file.

        Args:
            day: The day of a daily check, which compares the checksums of new and changed files and of a rotating share
                of the others (see `lake.checksums`). None: every checksum is compared, and nothing is written.

        Returns:
            Number of Parquet files.

        Raises:
            SetupError: A file cannot be read or has changed, or a batch has more or fewer rows than the batch log
                states.
        """
        batches = self.batches()
        paths = self._parquet_files()
        self._verify_rows(batches, paths)
        last_check = checksums.LastCheck(self._last_check)
        expected = {name: sha256 for batch in batches for name, sha256 in batch.checksums.items()}
        due = paths if day is None else last_check.due(paths, day)
        if changed := next(checksums.changed_files(due, expected), None):
            name = checksums.name_in_lake(changed)
            raise SetupError(f"lake/{name}: the bytes have changed since the file was written. {_RESTORE}")
        if day is not None:
            last_check.note(paths)
        return len(paths)

    def _verify_rows(self, batches: list[Batch], paths: list[Path]) -> None:
        """Raise SetupError unless the rows of the files, read from their footers, are those of the batch log."""
        stored: Counter[tuple[str, str]] = Counter()
        for path in paths:
            stored[path.parent.parent.name, path.stem] += _n_rows(path)
        logged = Counter({(batch.table, batch.batch): batch.n_accepted for batch in batches})
        logged.update({("quarantine", batch.batch): batch.n_quarantined for batch in batches})
        wrong = sorted(key for key in logged | stored if logged[key] != stored[key])
        if wrong:
            table, batch = wrong[0]
            n_missing = logged[wrong[0]] - stored[wrong[0]]
            sources = [entry.source_file for entry in batches if entry.batch == batch] or ["no source in the batch log"]
            difference = f"{n_missing:,} rows are missing" if n_missing > 0 else f"{-n_missing:,} extra rows"
            others = f" (and in {len(wrong) - 1:,} other batches)" if len(wrong) > 1 else ""
            raise SetupError(
                f"lake/{table}: {difference} in the batch {batch} of {sources[0]}{others}; "
                f"the batch log says {logged[wrong[0]]:,}, the files have {stored[wrong[0]]:,}. {_RESTORE}"
            )

    def _parquet_files(self) -> list[Path]:
        """List the Parquet files of all tables, and the staged files of sources that are in the batch log."""
        staged = [folder for folder in self._staging.glob("*") if (self._batch_log / f"{folder.name}.json").exists()]
        aside = (self._batch_log, self._staging, self._time_zone, *self.folder.glob("*label_figures*"))
        tables = [path for path in self.folder.glob("*") if path not in aside]
        return [path for folder in (*tables, *staged) for path in folder.rglob("*.parquet")]

    def rows(self, table: str, days: list[date] | None = None) -> pl.LazyFrame:
        """Scan a table, or only its partitions of some days, without the column `ds`; without files, no rows."""
        folder = self.folder / table
        parts = [folder] if days is None else [folder / f"ds={day}" for day in days]
        paths = sorted(path for part in parts for path in part.rglob("*.parquet"))
        if not paths:
            return pl.LazyFrame(schema=CONTRACTS[table].schema)
        return pl.scan_parquet(paths, glob=False, hive_partitioning=False)

    def latest(self, contract: Contract, *, track_id: str | None = None) -> pl.LazyFrame:
        """Return the newest row of each key of a reference table, of all tracks or of one."""
        rows = self.rows(contract.table)
        selected = rows if track_id is None else rows.filter(track_id=track_id)
        return selected.sort(contract.newest_by).unique(contract.key, keep="last", maintain_order=True)

    def commit(self, source_sha256: str, staged: list[StagedBatch]) -> None:
        """Write the batches of one source to the lake atomically."""
        folder = self._staging / source_sha256[:12]
        files.remove(folder)
        folder.mkdir(parents=True)
        for batch in staged:
            name, table = f"{batch.entry.batch}.parquet", batch.entry.table
            for day, rows in batch.parts.items():
                _write(folder / table / f"ds={day}" / name, rows)
            if not batch.quarantine.is_empty():
                _write(folder / "quarantine" / f"ds={batch.entry.ingested_on}" / name, batch.quarantine)
        files.sync_tree(folder)
        entries = [replace(batch.entry, checksums=checksums.of_folder(folder, batch.entry.batch)) for batch in staged]
        files.write_json(self._batch_log / f"{folder.name}.json", [asdict(entry) for entry in entries])
        self._move_into_place(folder)
        files.remove(folder)

    def _move_into_place(self, staged: Path) -> None:
        for path in staged.rglob("*.parquet"):
            final = self.folder / path.relative_to(staged)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)


def _entries(path: Path) -> list[Batch]:
    """Read a file of the batch log; raises SetupError if it is damaged."""
    try:
        return [Batch(**entry) for entry in files.read_json(path)]
    except (ValueError, TypeError, OSError) as broken:
        raise SetupError(f"lake/{path.parent.name}/{path.name} is damaged: {broken}. {_RESTORE}") from broken


def _n_rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError) as broken:
        where = "/".join(path.parts[-3:])
        raise SetupError(f"lake/{where} is not a complete Parquet file: {broken}. {_RESTORE}") from broken


def _write(path: Path, rows: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path, compression="zstd", statistics=True)
