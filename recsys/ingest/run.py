"""
Ingest source files into the lake.

Steps for each row: read as text, pseudonymise, check against the contract, deduplicate, write to a batch in the lake.
One source file is held in memory at a time, at about 150 bytes per listen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs

from recsys.errors import InputError, UnreadableSource
from recsys.files import is_audio, is_hidden, short_hash
from recsys.home import Home
from recsys.ingest.coerce import apply_contract
from recsys.ingest.copies import archive_of, delete_old_copies, keep_copy
from recsys.ingest.deliveries import Deliveries, Status, path_id
from recsys.ingest.fresh import partitions, without_stored
from recsys.ingest.pseudonym import listener_key, make_listener_key, pseudonymise, redacted
from recsys.ingest.replay import BATCH_REFUSED, replay_future
from recsys.ingest.settings import IngestSettings
from recsys.ingest.source import LINE, Chunk, Source, refuse_unknown_format
from recsys.lake.contract import CONTRACTS, QUARANTINE, Contract
from recsys.lake.store import Batch, Lake, StagedBatch

Progress = Callable[[Path, int], None]
_DEFAULT = IngestSettings()


@dataclass(frozen=True)
class IngestReport:
    """
    The result of one ingest.

    Attributes:
        batches: The batches written.
        known_files: Files that were skipped, because an earlier ingest had their bytes.
        known_batches: The batches with the rows of these files.
        undone_files: Files that were found in a folder and skipped, because they were taken back.
        entered: Batches of rows that had been refused as future, and whose day has come.
        unreadable: Files that could not be read, each with a message that says why and what to do.
    """

    batches: list[Batch] = field(default_factory=list)
    known_files: list[Path] = field(default_factory=list)
    known_batches: list[Batch] = field(default_factory=list)
    undone_files: list[Path] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    entered: list[Batch] = field(default_factory=list)

    def add_skipped(self, path: Path, batches: list[Batch]) -> None:
        """Add a file that was skipped, with the batches that have its rows; without any, it was taken back."""
        (self.known_files if batches else self.undone_files).append(path)
        self.known_batches.extend(batches)

    def problem(self, n_files: int) -> str:
        """Say how many of the given files could not be read, or had no row that was not refused; empty if none."""
        parts = [
            f"{len(self.unreadable)} of {n_files} files could not be read" if self.unreadable else "",
            f"of {len(self.refused_files)} of {n_files} files every row was refused" if self.refused_files else "",
        ]
        stated = ", and ".join(filter(None, parts))
        return f"{stated[0].upper()}{stated[1:]}; the others were ingested" if stated else ""

    @property
    def refused_files(self) -> list[str]:
        """Names of the ingested files of which every row was refused."""
        counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        names = {}
        for batch in self.batches:
            source = (batch.source_sha256, batch.delivery)
            names[source] = batch.source_file
            counts[source][0] += batch.n_read
            counts[source][1] += batch.n_quarantined
        return [names[source] for source, (n_read, n_refused) in counts.items() if 0 < n_read == n_refused]


@dataclass(frozen=True)
class _Delivery:
    """A file whose bytes are delivered for the `number`-th time."""

    source: Source
    number: int
    today: date
    max_refused: float

    @property
    def _repeated(self) -> list[str]:
        return [str(self.number)] if self.number > 1 else []

    @property
    def id(self) -> str:
        return short_hash(self.source.sha256, *self._repeated) if self._repeated else self.source.sha256

    def batch_of(self, table: str) -> str:
        return short_hash(self.source.sha256, table, *self._repeated)


@dataclass
class _TableRows:
    """The rows of one source for one table; each list has one frame per chunk."""

    accepted: list[pl.DataFrame] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    n_read: int = 0
    is_fill_only: bool = False


def source_files(paths: Iterable[Path]) -> list[Path]:
    """List source files; folders are searched recursively in order of names, without audio files and hidden files."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UnreadableSource(f"{path} does not exist. Give existing files, or folders that contain them")
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        files += [file for file in inside if file == path or not (is_hidden(file, path) or is_audio(file))]
    return files


def ingest(
    home: Home,
    paths: Iterable[Path],
    *,
    today: date,
    table: str | None = None,
    format_name: str = "auto",
    settings: IngestSettings = _DEFAULT,
    progress: Progress = lambda _path, _n_bytes: None,
) -> IngestReport:
    """
    Ingest source files into the lake; a file that was ingested before is skipped (see `Deliveries`).

    Old versions of a reference table may stay in a folder beside the newest. A file that cannot be read is recorded in
    the batch log and the quarantine (`unreadable_file`) and tried again at each ingest; the other files are ingested.
    Rows of the quarantine that were in the future enter when their day has come.

    Args:
        home: The home; the caller must hold its lock (`home.locked`).
        paths: Files and folders. A file that is named, not found in a folder, is ingested again after it was taken back
            or replaced.
        today: The day of ingest in the market time zone; later instants are refused as future.
        table: The raw table, for files whose columns do not identify it.
        format_name: A format's name, or "auto".
        settings: When a file is refused as a whole, and where copies of ingested files are kept.
        progress: Called with each file and its size in bytes when the file is done.

    Returns:
        The batches written, the files ingested before and the files that cannot be read.

    Raises:
        InputError: The table, format or a path does not exist.
        SetupError: The key of a home with listeners is missing or unsafe, or the archive is not outside of the home.
    """
    if table is not None and table not in CONTRACTS:
        raise InputError(f"There is no raw table {table!r}; known: {', '.join(CONTRACTS)}")
    refuse_unknown_format(format_name)
    lake, report, named = Lake(home), IngestReport(), list(paths)
    lake.recover()
    archive = archive_of(home, settings)
    report.entered.extend(replay_future(lake, today, settings))
    key = _key_of(home, lake)
    sources = [Source(path) for path in source_files(named)]
    known = Deliveries(lake.batch_log(), (source.sha256 for source in sources))
    for source in sources:
        status = known.status(source.path, source.sha256, is_named=source.path in named)
        if status is Status.NEW:
            delivery = _Delivery(source, known.number(source.sha256), today, settings.max_refused)
            batches = _try_source(lake, delivery, source.chunks(format_name, table), key, report)
            known.add(batches)
            if archive and batches:
                keep_copy(archive, source.path, source.sha256, today)
        else:
            report.add_skipped(source.path, known.batches_of(source.sha256))
        progress(source.path, source.n_bytes)
    if archive:
        delete_old_copies(archive, today, settings.archive_days)
    return report


def _key_of(home: Home, lake: Lake) -> bytes:
    """Return the listener key; a home that never had listeners gets one."""
    if not any(CONTRACTS[entry.table].has_listeners for entry in lake.batch_log() if entry.table in CONTRACTS):
        make_listener_key(home.key_file)
    return listener_key(home.key_file)


def _try_source(
    lake: Lake, delivery: _Delivery, chunks: Iterable[Chunk], key: bytes, report: IngestReport
) -> list[Batch]:
    """Ingest a file and report its batches; a file that cannot be read is recorded and reported, and has no batches."""
    try:
        batches = _ingest_one(lake, delivery, chunks, key)
    except UnreadableSource as unreadable:
        report.unreadable.append((delivery.source.path, str(unreadable)))
        _record_unreadable(lake, delivery.source, delivery.today)
        return []
    report.batches.extend(batches)
    return batches


def _ingest_one(lake: Lake, delivery: _Delivery, chunks: Iterable[Chunk], key: bytes) -> list[Batch]:
    rows_of_table: dict[str, _TableRows] = defaultdict(_TableRows)
    zone = lake.zone
    for chunk in chunks:
        _add_chunk(rows_of_table[chunk.table], chunk, key, delivery.today, zone)
    staged = [
        _staged(lake, CONTRACTS[table], rows, delivery, batch_no)
        for batch_no, (table, rows) in enumerate(rows_of_table.items(), start=lake.next_batch_no())
    ]
    lake.commit(delivery.id, staged)
    return [batch.entry for batch in staged]


def _record_unreadable(lake: Lake, source: Source, today: date) -> None:
    """Record an unreadable file as one refused row of the table `unknown`, unless it was recorded before."""
    entry = Batch(
        batch=short_hash(source.sha256, "unreadable_file"),
        batch_no=lake.next_batch_no(),
        table="unknown",
        source_file=_stored_name(source),
        source_sha256=source.sha256,
        ingested_on=str(today),
        n_read=1,
        n_accepted=0,
        n_quarantined=1,
        n_duplicate=0,
    )
    if entry.batch not in {batch.batch for batch in lake.batch_log()}:
        refused = _malformed([1]).with_columns(reason=pl.lit("unreadable_file"))
        lake.commit(entry.batch, [StagedBatch(entry, {}, _quarantine_rows(refused, entry))])


def _stored_name(source: Source) -> str:
    return str(pl.select(redacted(pl.lit(source.path.name))).item())


def _add_chunk(into: _TableRows, chunk: Chunk, key: bytes, today: date, zone: ZoneInfo) -> None:
    contract = CONTRACTS[chunk.table]
    raw = pseudonymise(_contract_columns(chunk.rows, contract), key)
    checked = apply_contract(raw, contract, today, zone).with_columns(raw[LINE])
    is_valid = checked["reason"].is_null()
    into.accepted.append(checked.filter(is_valid).drop("reason", "column_name"))
    into.refused.append(_refused(checked.filter(~is_valid), raw.filter(~is_valid)))
    into.refused.append(_malformed(chunk.malformed))
    into.n_read += raw.height + len(chunk.malformed)
    into.is_fill_only = chunk.is_fill_only


def _contract_columns(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Select the contract's columns (null where the file has no such column) and the line; drop all others."""
    texts = [
        pl.col(name) if name in rows.columns else pl.lit(None, dtype=pl.String).alias(name) for name in contract.names
    ]
    return rows.select(*texts, LINE)


def _refused(checked: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    payload = pl.struct(redacted(pl.col(name)) for name in raw.columns if name != LINE).struct.json_encode()
    return checked.select("reason", "column_name", LINE).with_columns(raw.select(payload.alias("payload")).to_series())


def _malformed(lines: list[int]) -> pl.DataFrame:
    """Return quarantine rows for lines that could not be parsed, without their text, which cannot be pseudonymised."""
    unknown = pl.lit(None, dtype=pl.String)
    return pl.DataFrame({LINE: lines}, schema={LINE: pl.Int64}).select(
        pl.lit("malformed_row").alias("reason"), unknown.alias("column_name"), LINE, unknown.alias("payload")
    )


def _staged(lake: Lake, contract: Contract, rows: _TableRows, delivery: _Delivery, batch_no: int) -> StagedBatch:
    read = pl.concat(rows.accepted)
    fresh, conflicting = without_stored(lake, contract, read, is_fill_only=rows.is_fill_only)
    quarantine = pl.concat([*rows.refused, _refused_texts(conflicting, "conflicting_row")])
    if quarantine.height > delivery.max_refused * rows.n_read:
        quarantine, fresh = pl.concat([quarantine, _refused_texts(fresh, BATCH_REFUSED)]), fresh.clear()
    batch = delivery.batch_of(contract.table)
    parts = partitions(lake, contract, fresh, batch=batch, batch_no=batch_no, today=delivery.today)
    entry = Batch(
        batch=batch,
        batch_no=batch_no,
        table=contract.table,
        source_file=_stored_name(delivery.source),
        source_sha256=delivery.source.sha256,
        ingested_on=str(delivery.today),
        n_read=rows.n_read,
        n_accepted=fresh.height,
        n_quarantined=quarantine.height,
        n_duplicate=rows.n_read - fresh.height - quarantine.height,
        days=sorted(parts),
        delivery=delivery.number,
        source_path=path_id(delivery.source.path),
    )
    return StagedBatch(entry, parts, _quarantine_rows(quarantine, entry))


def _refused_texts(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Return quarantine rows for valid rows that are refused for another reason than their values."""
    lists = cs.list().cast(pl.List(pl.String)).list.join("|")
    texts = rows.select(pl.exclude(LINE)).with_columns(lists).cast(pl.String)
    marks = rows.select(LINE, reason=pl.lit(reason), column_name=pl.lit(None, dtype=pl.String))
    return _refused(marks, texts)


def _quarantine_rows(refused: pl.DataFrame, entry: Batch) -> pl.DataFrame:
    named = refused.rename({LINE: "source_line"}).with_columns(
        source_table=pl.lit(entry.table), source_file=pl.lit(entry.source_file), batch=pl.lit(entry.batch)
    )
    return named.select(QUARANTINE.names()).cast(QUARANTINE)
