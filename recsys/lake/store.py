"""
The lake: raw tables as append-only Parquet files; a source file adds one batch to each table that it has rows for.

    lake/<table>/ds=YYYY-MM-DD/<batch>.parquet    rows, by day of the event; of a reference table, by day of ingest
    lake/quarantine/ds=YYYY-MM-DD/<batch>.parquet refused rows, by day of ingest
    lake/_ledger/<source>.json                    batch log: the batches of one source; writing this file commits them
    lake/_staging/<source>/                       a source that is being written or changed
    lake/_undone/<table>/ds=YYYY-MM-DD/           keys of undone rows that the ledger counts (see `recsys.ingest.undo`)
    lake/_checked.json                            size and time of change of each file at its last daily check
    lake/_listener_key                            fingerprint of the key that listener ids are hashed with
    lake/_erased                                  number of erasures that were applied (see `recsys.lake.denied`)
    lake/_retention.json                          first day that is kept, by table (see `recsys.ingest.retention`)
    lake/_time_zone                               market time zone, which decides the day of an event; default UTC
    lake/label_figures/                           the ledger of labels' figures (see `recsys.ledger.store`)

Ingest is a transaction per source: its files are staged, its batches are written to the batch log, and the files are
moved to the tables. After a crash, `recover` moves the staged files of sources in the batch log, and removes others.
A change of a source that is in the batch log (`Lake.change`) is a transaction of the same kind: it is committed once
the batch log has the entries that are staged with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from recsys import files
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home
from recsys.lake import checksums
from recsys.lake.contract import CONTRACTS, Contract
from recsys.lake.denied import DenyList

UTC = "UTC"
_CHANGE = "change.json"  # of a staged change: written first, so that its files are never taken for a new source's
_RESTORE = (
    "Restore lake/ from a backup. Without one, move lake/ away (keep listener.key) and ingest all source files again, "
    "in their original order"
)


@dataclass(frozen=True)
class Batch:
    """
    An entry of the batch log: the rows that one source file added to one table.

    Attributes:
        batch: Id: a hash of the source's bytes and the table, and of what makes a repeated delivery or replay another.
        batch_no: Number of the batch in the lake, from 1; the newest row of a reference table has the largest.
        table: The raw table; `unknown` for a file that could not be read.
        source_file: Name of the file without its folder; e-mail and IP addresses in it are replaced.
        source_sha256: SHA-256 of the file's bytes.
        ingested_on: Day of ingest, ISO 8601.
        n_read, n_accepted, n_quarantined, n_duplicate: Row counts. `n_read` is the sum of the other counts, of
            `n_replayed`, of `n_dropped` and of `n_expired`.
        days: The `ds` partitions that the batch has rows in.
        invalid_values: Values of optional columns that became unknown: column_name, reason, n_values and first_line.
        columns: Columns of the file, if it declares them; one without a contract as `#` and a hash of its name.
        members: SHA-256 of each file, if the source consists of several files (a scan of music); otherwise empty.
        delivery: How often these bytes had been delivered with this batch, from 1 (see `recsys.ingest.deliveries`).
        source_path: Hash of the file's path, which tells whether a path has a new content; empty if unknown.
        replay: Of rows that left the quarantine: a hash of which rows; otherwise empty.
        n_replayed: Rows that left the quarantine by a replay; a batch with `replay` has them.
        n_dropped: Rows that were deleted from the quarantine.
        n_expired: Accepted rows that were removed because their day was older than the table's limit.
        undone_on: The day on which the file was taken back, ISO 8601; empty if it was not.
        undone_no: The largest batch number of the lake at that moment; 0 if it was not taken back.
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
    invalid_values: list[dict[str, Any]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    delivery: int = 1
    source_path: str = ""
    replay: str = ""
    n_replayed: int = 0
    n_dropped: int = 0
    n_expired: int = 0
    undone_on: str = ""
    undone_no: int = 0
    checksums: dict[str, str] = field(default_factory=dict)

    @property
    def source_ids(self) -> set[str]:
        """Ids of its source for the id of a run, which changes if a file is taken back, delivered again or replayed."""
        repeated = f":{self.delivery}" if self.delivery > 1 else ""
        suffix = repeated + (f":{self.replay}" if self.replay else "") + (":undone" if self.undone_on else "")
        return {f"{sha256}{suffix}" for sha256 in self.members or [self.source_sha256]}


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
        """Open the lake of a home; raises SetupError if a newer version of the program has written the home."""
        home.refuse_newer()
        self.folder = home.lake
        self._batch_log = home.lake / "_ledger"
        self._staging = home.lake / "_staging"
        self._undone = home.lake / "_undone"
        self._time_zone = home.lake / "_time_zone"
        self._retention = home.lake / "_retention.json"
        self._last_check = home.lake / "_checked.json"
        self.denied = DenyList(home)

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

    def kept_from(self) -> dict[str, date]:
        """Return the first day that is kept of each table that has a limit; earlier rows are in no build."""
        if not self._retention.exists():
            return {}
        with files.reading(self._retention, _RESTORE):
            return {table: date.fromisoformat(day) for table, day in files.read_json(self._retention).items()}

    def keep_from(self, days: Mapping[str, date]) -> dict[str, date]:
        """Raise the first day that is kept of some tables, which never becomes earlier; return it of all tables."""
        known = self.kept_from()
        raised = known | {table: max(day, known.get(table, day)) for table, day in days.items()}
        if raised != known:
            files.write_json(self._retention, {table: str(day) for table, day in sorted(raised.items())})
        return raised

    def batch_log(self) -> list[Batch]:
        """
        List all entries of the batch log, in the order of ingest, also of files that were taken back.

        Raises:
            SetupError: The batch log is damaged.
        """
        entries = (entry for delivery in self.deliveries().values() for entry in delivery)
        return sorted(entries, key=lambda entry: entry.batch_no)

    def deliveries(self) -> dict[str, list[Batch]]:
        """Return the entries of each file of the batch log, by its name; raises SetupError if one is damaged."""
        return {path.stem: _entries(path) for path in sorted(self._batch_log.glob("*.json"))}

    def batches(self) -> list[Batch]:
        """List the batches whose rows are in the lake, in the order of ingest."""
        return [entry for entry in self.batch_log() if not entry.undone_on]

    def next_batch_no(self) -> int:
        """Return the number of the next batch; the number of a batch that was taken back is not used again."""
        return max((entry.batch_no for entry in self.batch_log()), default=0) + 1

    def sources(self) -> set[str]:
        """Return an id of every file that was ingested: its SHA-256, unless it was delivered again or taken back."""
        return set().union(*(entry.source_ids for entry in self.batch_log()))

    def fingerprint(self) -> str:
        """Return a hash of all batches and of the days that are kept: it changes with the content of the lake."""
        kept = (f"{table} from {day}" for table, day in sorted(self.kept_from().items()))
        return files.short_hash(*sorted(entry.batch for entry in self.batches()), *kept)

    def recover(self) -> None:
        """Finish an interrupted ingest or change if it was committed, and remove all other staged files."""
        for staged in self._staging.glob("*"):
            if self._is_committed(staged):
                self._move_into_place(staged)
                self._remove_files(staged)
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
            stored[path.parent.parent.name, path.stem] += n_rows_of(path)
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
        """List the Parquet files of all tables, as they are once `recover` has finished what was committed."""
        aside = (self._batch_log, self._staging, self._undone, self._time_zone, *self.folder.glob("*label_figures*"))
        tables = [path for path in self.folder.glob("*") if path not in aside]
        found = {str(path.relative_to(self.folder)): path for table in tables for path in table.rglob("*.parquet")}
        for staged in filter(self._is_committed, self._staging.glob("*")):
            found |= {str(path.relative_to(staged)): path for path in staged.rglob("*.parquet")}
            found = {name: path for name, path in found.items() if name not in _change(staged)["removed"]}
        return [path for name, path in found.items() if not name.startswith(self._undone.name)]

    def rows(self, table: str, days: list[date] | None = None) -> pl.LazyFrame:
        """
        Scan a table, or only its partitions of some days, without the column `ds`; without files, no rows.

        A column that the contract got after a file was written is null in its rows.
        """
        paths, schema = self._paths(table, days), CONTRACTS[table].schema
        if not paths:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            paths, glob=False, hive_partitioning=False, schema=schema, missing_columns="insert", extra_columns="ignore"
        )

    def undone_keys(self, table: str, days: list[date]) -> pl.DataFrame:
        """Return the key, `batch_no` and `ds` of the undone rows of some days that closed periods count."""
        contract = CONTRACTS[table]
        paths = self._paths(f"{self._undone.name}/{table}", days)
        schema = pl.Schema({name: contract.schema[name] for name in (*contract.key, "batch_no")} | {"ds": pl.Date()})
        return pl.concat([pl.DataFrame(schema=schema), *(pl.read_parquet(path, glob=False) for path in paths)])

    def _paths(self, table: str, days: list[date] | None) -> list[Path]:
        folder = self.folder / table
        parts = [folder] if days is None else [folder / f"ds={day}" for day in days]
        return sorted(path for part in parts for path in part.rglob("*.parquet"))

    def latest(self, contract: Contract, *, track_id: str | None = None) -> pl.LazyFrame:
        """Return the newest row of each key of a reference table, of all tracks or of one."""
        rows = self.rows(contract.table)
        selected = rows if track_id is None else rows.filter(track_id=track_id)
        return selected.sort("batch_no").unique(contract.key, keep="last", maintain_order=True)

    def commit(self, source_sha256: str, staged: list[StagedBatch]) -> list[Batch]:
        """Write the batches of one source to the lake atomically; return their entries in the batch log."""
        folder = self.new_staging(source_sha256)
        for batch in staged:
            for day, rows in batch.parts.items():
                write_staged(folder, batch.entry, batch.entry.table, day, rows)
            write_staged(folder, batch.entry, "quarantine", batch.entry.ingested_on, batch.quarantine)
        return self.commit_staged(folder, [batch.entry for batch in staged])

    def new_staging(self, source_sha256: str) -> Path:
        """Return the folder to which a source's files are written (`write_staged`) before it is committed, empty."""
        folder = self._staging / source_sha256[:12]
        files.remove(folder)
        folder.mkdir(parents=True)
        return folder

    def commit_staged(self, folder: Path, batches: list[Batch]) -> list[Batch]:
        """Move the staged files of a source to the lake atomically; return its entries in the batch log."""
        files.sync_tree(folder)
        entries = [replace(batch, checksums=checksums.of_folder(folder, batch.batch)) for batch in batches]
        files.write_json(self._batch_log / f"{folder.name}.json", [asdict(entry) for entry in entries])
        self._move_into_place(folder)
        files.remove(folder)
        return entries

    def delivery_of(self, batch: str) -> tuple[str, list[Batch]]:
        """
        Return the name and all entries of the file of the batch log that has a batch: one delivery and its replays.

        Raises:
            UnknownIds: The batch log has no such batch.
        """
        logs = self.deliveries()
        for name, entries in logs.items():
            if batch in {entry.batch for entry in entries}:
                return name, entries
        known = [entry.batch for entries in logs.values() for entry in entries]
        raise UnknownIds.of("batch", [batch], known, "the batch log")

    def change(
        self, name: str, entries: list[Batch], *, written: Mapping[str, pl.DataFrame], removed: Iterable[str] = ()
    ) -> None:
        """
        Change a delivery atomically: its entries in the batch log, and files of the lake.

        Args:
            name: The file of the batch log, as `delivery_of` returns it.
            entries: Its new entries; at least one must differ from before.
            written: Path in the lake -> rows to write there.
            removed: Paths in the lake to remove.
        """
        folder, gone = self._staging / name, sorted(removed)
        files.remove(folder)
        folder.mkdir(parents=True)
        files.write_json(folder / _CHANGE, {"entries": [], "removed": []})
        for path, rows in written.items():
            _write(folder / path, rows)
        log = [asdict(_with_checksums(entry, folder, gone)) for entry in entries]
        files.write_json(folder / _CHANGE, {"entries": log, "removed": gone})
        files.sync_tree(folder)
        files.write_json(self._batch_log / f"{name}.json", log)
        self._move_into_place(folder)
        self._remove_files(folder)
        files.remove(folder)

    def _is_committed(self, staged: Path) -> bool:
        """Return whether the batch log has what is staged: the entries of a change, or any entry of a new source."""
        log = self._batch_log / f"{staged.name}.json"
        return log.exists() and _change(staged)["entries"] in (None, files.read_json(log))

    def _remove_files(self, staged: Path) -> None:
        for path in _change(staged)["removed"]:
            files.remove(self.folder / path)

    def _move_into_place(self, staged: Path) -> None:
        for path in staged.rglob("*.parquet"):
            final = self.folder / path.relative_to(staged)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)


def write_staged(folder: Path, batch: Batch, table: str, day: str, rows: pl.DataFrame) -> None:
    """Write a batch's rows of one table and day to a folder of staged files; nothing is written for no rows."""
    if not rows.is_empty():
        _write(folder / table / f"ds={day}" / f"{batch.batch}.parquet", rows)


def _with_checksums(entry: Batch, staged: Path, removed: list[str]) -> Batch:
    """Return an entry with the checksums that its files have after a change."""
    found = entry.checksums | checksums.of_folder(staged, entry.batch)
    return replace(entry, checksums={name: sha256 for name, sha256 in found.items() if name not in removed})


def _entries(path: Path) -> list[Batch]:
    """Read a file of the batch log; raises SetupError if it is damaged."""
    try:
        return [Batch(**entry) for entry in files.read_json(path)]
    except (ValueError, TypeError, OSError) as broken:
        raise SetupError(f"lake/{path.parent.name}/{path.name} is damaged: {broken}. {_RESTORE}") from broken


def _change(staged: Path) -> dict[str, Any]:
    """Return the change that is staged in a folder; of a new source, which has none, no entries and nothing removed."""
    path = staged / _CHANGE
    return dict(files.read_json(path)) if path.exists() else {"entries": None, "removed": []}


def n_rows_of(path: Path) -> int:
    """Return the number of rows in the footer of a Parquet file; raises SetupError if the file is damaged."""
    try:
        return int(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError) as broken:
        where = "/".join(path.parts[-3:])
        raise SetupError(f"lake/{where} is not a complete Parquet file: {broken}. {_RESTORE}") from broken


def _write(path: Path, rows: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path, compression="zstd", statistics=True)
