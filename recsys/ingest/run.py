"""
Ingest source files into the lake.

Steps for each row: read as text, pseudonymise, check against the contract, deduplicate, write to a batch in the lake.
One source file is held in memory at a time, at about 150 bytes per listen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs

from recsys.errors import InputError, UnreadableSource
from recsys.files import is_audio, is_hidden, short_hash
from recsys.home import Home
from recsys.ingest.coerce import INVALID, add_counts, apply_contract, count_invalid
from recsys.ingest.dialect import UTF_8, Dialect
from recsys.ingest.drift import deliveries, new_columns, recorded_columns, refuse_drift
from recsys.ingest.instants import DateOrder
from recsys.ingest.pseudonym import listener_key, make_listener_key, pseudonymise, redacted
from recsys.ingest.source import LINE, Chunk, Source, refuse_unknown_format
from recsys.ingest.vectors import vector_reasons
from recsys.lake.contract import CONTRACTS, QUARANTINE, Contract
from recsys.lake.field import MAX_CHARS
from recsys.lake.store import Batch, Lake, StagedBatch

Progress = Callable[[Path, int], None]
_UNCLEAR = {
    "date_order": "has dates in an unstated order of day and month. State it: --dates day-first or --dates month-first",
    "named_zone": "has times in a named time zone. Convert them to UTC, or give them an offset such as +02:00",
}


@dataclass(frozen=True)
class IngestReport:
    """
    The result of one ingest.

    Attributes:
        batches: The batches written.
        known_files: Files that were skipped, because an earlier ingest had their bytes.
        unreadable: Files that could not be read, each with a message that says why and what to do.
        warnings: New columns of known sources.
    """

    batches: list[Batch] = field(default_factory=list)
    known_files: list[Path] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class _TableRows:
    """The rows of one source for one table; each list has one frame per chunk."""

    accepted: list[pl.DataFrame] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    invalid: list[pl.DataFrame] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
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
    dialect: Dialect = UTF_8,
    accept_schema: bool = False,
    progress: Progress = lambda _path, _n_bytes: None,
) -> IngestReport:
    """
    Ingest source files into the lake; a file that was ingested before is skipped.

    A file is identified by its bytes. So old versions of a reference table may stay in the folder beside the newest,
    and delivering an old version again does not bring its rows back. A file that cannot be read is recorded in the
    batch log and the quarantine (`unreadable_file`) and tried again at each ingest; the other files are ingested.

    Args:
        home: The home; the caller must hold its lock (`home.locked`).
        paths: Files and folders.
        today: The day of ingest in the market time zone; later instants are refused as future.
        table: The raw table, for files whose columns do not identify it.
        format_name: A format's name, or "auto".
        dialect: What the caller states about the texts of the files.
        accept_schema: Whether to accept files that lack columns of earlier deliveries (`recsys/ingest/drift.py`).
        progress: Called with each file and its size in bytes when the file is done.

    Returns:
        The batches written, the files ingested before and the files that cannot be read.

    Raises:
        InputError: The table, format or a path does not exist.
        SetupError: The key of a home with listeners is missing or unsafe.
    """
    if table is not None and table not in CONTRACTS:
        raise InputError(f"There is no raw table {table!r}; known: {', '.join(CONTRACTS)}")
    refuse_unknown_format(format_name)
    lake, report = Lake(home), IngestReport()
    lake.recover()
    if not any(CONTRACTS[entry.table].has_listeners for entry in lake.batches() if entry.table in CONTRACTS):
        make_listener_key(home.key_file)
    key = listener_key(home.key_file)
    known = {entry.source_sha256 for entry in lake.batches() if entry.table in CONTRACTS}
    for path in source_files(paths):
        source = Source(path, dialect=dialect)
        if source.sha256 in known:
            report.known_files.append(path)
        else:
            try:
                staged = _staged_source(lake, source, source.chunks(format_name, table), key, today)
                report.warnings.extend(_drift(lake, source, staged, accept_schema=accept_schema))
                lake.commit(source.sha256, staged)
                report.batches.extend(batch.entry for batch in staged)
                known.add(source.sha256)
            except UnreadableSource as unreadable:
                report.unreadable.append((path, str(unreadable)))
                _record_unreadable(lake, source, today)
        progress(path, source.n_bytes)
    return report


def _staged_source(lake: Lake, source: Source, chunks: Iterable[Chunk], key: bytes, today: date) -> list[StagedBatch]:
    rows_of_table: dict[str, _TableRows] = defaultdict(_TableRows)
    zone = lake.zone
    for chunk in chunks:
        _add_chunk(rows_of_table[chunk.table], chunk, key=key, today=today, zone=zone, order=source.dialect.dates)
    for rows in rows_of_table.values():
        _refuse_unclear(source, rows)
    n_batches = len(lake.batches())
    return [
        _staged(lake, CONTRACTS[table], rows, source=source, batch_no=batch_no, today=today)
        for batch_no, (table, rows) in enumerate(rows_of_table.items(), start=n_batches + 1)
    ]


def _refuse_unclear(source: Source, rows: _TableRows) -> None:
    """Raise UnreadableSource if most rows have a date or time that can be read only after a decision of the caller."""
    refused = pl.concat(rows.refused).select("column_name", "reason").with_columns(n_values=1, first_line=1)
    for column, reason, n_values, _ in add_counts([refused, *rows.invalid]).rows():
        if reason in _UNCLEAR and 2 * n_values > rows.n_read:
            raise UnreadableSource(f"{source.path}: {column} {_UNCLEAR[reason]}. Nothing was ingested from it")


def _drift(lake: Lake, source: Source, staged: list[StagedBatch], *, accept_schema: bool) -> list[str]:
    """Compare the columns of a source with earlier deliveries: refuse it, or return warnings."""
    warnings: list[str] = []
    batches = lake.batches()
    for batch in staged:
        earlier = deliveries(batches, batch.entry)
        if not accept_schema:
            refuse_drift(source.path, batch.entry, earlier)
        warnings += new_columns(source.path, batch.entry, earlier)
    return warnings


def _record_unreadable(lake: Lake, source: Source, today: date) -> None:
    """Record an unreadable file as one refused row of the table `unknown`, unless it was recorded before."""
    batches = lake.batches()
    entry = Batch(
        batch=short_hash(source.sha256, "unreadable_file"),
        batch_no=len(batches) + 1,
        table="unknown",
        source_file=_stored_name(source),
        source_sha256=source.sha256,
        ingested_on=str(today),
        n_read=1,
        n_accepted=0,
        n_quarantined=1,
        n_duplicate=0,
    )
    if entry.batch not in {batch.batch for batch in batches}:
        refused = _malformed([1]).with_columns(reason=pl.lit("unreadable_file"))
        lake.commit(entry.batch, [StagedBatch(entry, {}, _quarantine_rows(refused, entry))])


def _stored_name(source: Source) -> str:
    return str(pl.select(redacted(pl.lit(source.path.name))).item())


def _add_chunk(
    into: _TableRows, chunk: Chunk, *, key: bytes, today: date, zone: ZoneInfo, order: DateOrder | None
) -> None:
    contract = CONTRACTS[chunk.table]
    raw = pseudonymise(_contract_columns(chunk.rows, contract), key)
    checked = apply_contract(raw, contract, today, zone, order).with_columns(raw[LINE])
    is_valid = checked["reason"].is_null()
    into.accepted.append(checked.filter(is_valid).drop("reason", "column_name", INVALID))
    into.invalid.append(count_invalid(checked.filter(is_valid), LINE))
    into.refused.append(_refused(checked.filter(~is_valid), raw.filter(~is_valid)))
    into.refused.append(_malformed(chunk.malformed))
    into.n_read += raw.height + len(chunk.malformed)
    into.is_fill_only, into.columns = chunk.is_fill_only, sorted({*into.columns, *chunk.columns})


def _contract_columns(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Select the contract's columns (null where the file has no such column) and the line; drop all others."""
    texts = [
        pl.col(name) if name in rows.columns else pl.lit(None, dtype=pl.String).alias(name) for name in contract.names
    ]
    return rows.select(*texts, LINE)


def _refused(checked: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    texts = (redacted(pl.col(name)).str.slice(0, MAX_CHARS) for name in raw.columns if name != LINE)
    payload = pl.struct(texts).struct.json_encode()
    return checked.select("reason", "column_name", LINE).with_columns(raw.select(payload.alias("payload")).to_series())


def _malformed(lines: list[int]) -> pl.DataFrame:
    """Return quarantine rows for lines that could not be parsed, without their text, which cannot be pseudonymised."""
    unknown = pl.lit(None, dtype=pl.String)
    return pl.DataFrame({LINE: lines}, schema={LINE: pl.Int64}).select(
        pl.lit("malformed_row").alias("reason"), unknown.alias("column_name"), LINE, unknown.alias("payload")
    )


def _staged(
    lake: Lake, contract: Contract, rows: _TableRows, *, source: Source, batch_no: int, today: date
) -> StagedBatch:
    read, incomparable = _comparable(lake, contract, pl.concat(rows.accepted))
    fresh, conflicting = _without_stored(lake, contract, read, is_fill_only=rows.is_fill_only)
    conflicts = conflicting.with_columns(reason=pl.lit("conflicting_row"), column_name=pl.lit(None, dtype=pl.String))
    quarantine = pl.concat([*rows.refused, *map(_refused_typed, (incomparable, conflicts))])
    batch = short_hash(source.sha256, contract.table)
    marked = fresh.drop(LINE).with_columns(batch=pl.lit(batch), batch_no=pl.lit(batch_no, dtype=pl.Int64))
    parts = _partitions(contract, marked, today, lake.zone)
    entry = Batch(
        batch=batch,
        batch_no=batch_no,
        table=contract.table,
        source_file=_stored_name(source),
        source_sha256=source.sha256,
        ingested_on=str(today),
        n_read=rows.n_read,
        n_accepted=fresh.height,
        n_quarantined=quarantine.height,
        n_duplicate=rows.n_read - fresh.height - quarantine.height,
        days=sorted(parts),
        invalid_values=add_counts(rows.invalid).to_dicts(),
        columns=recorded_columns(rows.columns, contract),
    )
    return StagedBatch(entry, parts, _quarantine_rows(quarantine, entry))


def _without_stored(
    lake: Lake, contract: Contract, read: pl.DataFrame, *, is_fill_only: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Separate new rows from duplicates and conflicts.

    Returns:
        The new rows; and the conflicting rows, which have the key of an earlier row but other values. Earlier rows are
        earlier rows of the same source and, for an event table, rows in the lake. For a reference table, a row that
        differs from the lake's row with its key is new: the newer version. A fill-only row is new if its key is not in
        the lake.
    """
    if contract.instant:
        days = read.select(_day_of(contract.instant, lake.zone)).to_series().unique().sort().to_list()
        stored = lake.rows(contract.table, days).select(contract.names).collect()
    else:
        stored = lake.latest(contract).select(contract.names).collect()
    if is_fill_only:
        candidates = read.unique(contract.key, keep="first", maintain_order=True)
        return _without(candidates, stored, contract.key), read.clear()
    distinct = read.unique(contract.names, keep="first", maintain_order=True)
    if contract.instant:
        new = _without(distinct, stored, contract.names)
        fresh = _without(new.unique(contract.key, keep="first", maintain_order=True), stored, contract.key)
        return fresh, _without(new, fresh, LINE)
    first = distinct.unique(contract.key, keep="first", maintain_order=True)
    return _without(first, stored, contract.names), _without(distinct, first, LINE)


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """Return the rows whose values in the columns `on` do not occur in `others`; a null equals a null."""
    return rows.join(others, on=on, how="anti", nulls_equal=True, maintain_order="left")


def _comparable(lake: Lake, contract: Contract, read: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate embeddings that cannot be searched together with the others, with `reason` and `column_name`."""
    if contract.table != "audio_vectors":
        return read, read.clear().with_columns(reason=pl.lit(""), column_name=pl.lit(""))
    sizes = lake.rows(contract.table).select("encoder", size=pl.col("vector").list.len())
    usual = sizes.group_by("encoder").agg(pl.col("size").mode().sort().last()).collect()
    checked = vector_reasons(read, dict(usual.iter_rows()))
    is_good = pl.col("reason").is_null()
    return checked.filter(is_good).drop("reason", "column_name"), checked.filter(~is_good)


def _refused_typed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return quarantine rows for rows in the contract's types with `reason` and `column_name`."""
    lists = cs.list().cast(pl.List(pl.String)).list.join("|")
    texts = rows.drop(LINE, "reason", "column_name").with_columns(lists).cast(pl.String)
    return _refused(rows.select(LINE, "reason", "column_name"), texts)


def _day_of(instant: str, zone: ZoneInfo) -> pl.Expr:
    """Return the day of an instant in the market time zone, as `ds`."""
    return pl.col(instant).dt.convert_time_zone(zone.key).dt.date().alias("ds")


def _partitions(contract: Contract, rows: pl.DataFrame, today: date, zone: ZoneInfo) -> dict[str, pl.DataFrame]:
    if not contract.instant:
        return {str(today): rows} if rows.height else {}
    ordered = rows.sort(contract.instant, *contract.key)
    by_day = ordered.with_columns(_day_of(contract.instant, zone))
    days = by_day.partition_by("ds", as_dict=True, include_key=False, maintain_order=True)
    return {str(day): part for (day,), part in days.items()}


def _quarantine_rows(refused: pl.DataFrame, entry: Batch) -> pl.DataFrame:
    named = refused.rename({LINE: "source_line"}).with_columns(
        source_table=pl.lit(entry.table), source_file=pl.lit(entry.source_file), batch=pl.lit(entry.batch)
    )
    return named.select(QUARANTINE.names()).cast(QUARANTINE)
