"""
From the chunks of one source to batches that are ready to be committed, one per table.

Steps for each row: pseudonymise, check against the contract, deduplicate. Accepted rows are held in bounded memory
until the source has been read (`recsys.ingest.held`); then they are deduplicated and written, some days at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs

from recsys import files
from recsys.errors import UnreadableSource
from recsys.files import short_hash
from recsys.ingest.coerce import INVALID, add_counts, apply_contract, count_invalid
from recsys.ingest.deliveries import path_id
from recsys.ingest.drift import recorded_columns
from recsys.ingest.fresh import partitions, without_stored
from recsys.ingest.held import HeldRows, held_rows
from recsys.ingest.pseudonym import pseudonymise, redacted, unsealed, without_erased
from recsys.ingest.replay import BATCH_REFUSED
from recsys.ingest.source import LINE, Chunk, Source, shown
from recsys.ingest.vectors import comparable
from recsys.lake.contract import CONTRACTS, QUARANTINE, Contract
from recsys.lake.field import MAX_CHARS
from recsys.lake.store import Batch, Lake, StagedBatch, write_staged

_UNCLEAR = {
    "date_order": "has dates in an unstated order of day and month. State it: --dates day-first or --dates month-first",
    "named_zone": "has times in a named time zone. Convert them to UTC, or give them an offset such as +02:00",
}

_WITHHELD = {field.name for contract in CONTRACTS.values() for field in contract.fields if field.is_withheld}


@dataclass(frozen=True)
class Delivery:
    """
    A file to ingest.

    Attributes:
        source: The file.
        number: How often its bytes have been delivered with this time.
        today: The day of ingest.
        max_refused: Maximum share of refused rows of a table; above it, none of its rows enter, 0..1.
    """

    source: Source
    number: int
    today: date
    max_refused: float

    @property
    def _repeated(self) -> list[str]:
        return [str(self.number)] if self.number > 1 else []

    @property
    def id(self) -> str:
        """Id of the delivery: the SHA-256 of the file, or for a repeated delivery a hash."""
        return short_hash(self.source.sha256, *self._repeated) if self._repeated else self.source.sha256

    def batch_of(self, table: str) -> str:
        """Return the id of its batch for a table."""
        return short_hash(self.source.sha256, table, *self._repeated)


@dataclass
class _TableRows:
    """The rows of one source for one table; each list has one frame per chunk."""

    accepted: HeldRows
    refused: list[pl.DataFrame] = field(default_factory=list)
    invalid: list[pl.DataFrame] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    n_read: int = 0
    is_fill_only: bool = False


def staged_batches(lake: Lake, delivery: Delivery, chunks: Iterable[Chunk], key: bytes, folder: Path) -> list[Batch]:
    """
    Write the batches of a file to a folder of staged files, and return their entries for the batch log.

    Args:
        lake: The lake, with whose rows duplicates and conflicts are found.
        delivery: The file.
        chunks: Its rows.
        key: The listener key.
        folder: The folder (`Lake.new_staging`).

    Raises:
        UnreadableSource: The file cannot be read, or most rows have a date that can be read only after a decision.
    """
    scratch = folder.with_name(f"{folder.name}.rows")
    files.remove(scratch)
    try:
        rows_of_table = _read(lake, delivery, chunks, key, scratch)
        for rows in rows_of_table.values():
            _refuse_unclear(delivery.source, rows)
        return [
            _staged(lake, _entry(table, rows, delivery, batch_no), rows, delivery, folder)
            for batch_no, (table, rows) in enumerate(rows_of_table.items(), start=lake.next_batch_no())
        ]
    finally:
        files.remove(scratch)


def _read(lake: Lake, delivery: Delivery, chunks: Iterable[Chunk], key: bytes, scratch: Path) -> dict[str, _TableRows]:
    rows_of_table, pseudonyms = dict[str, _TableRows](), dict[str, str]()
    for chunk in chunks:
        if chunk.table not in rows_of_table:
            rows_of_table[chunk.table] = _TableRows(held_rows(CONTRACTS[chunk.table], lake.zone, scratch))
        given = _contract_columns(chunk.rows, CONTRACTS[chunk.table])
        rows = unsealed(given, key) if chunk.is_sealed else pseudonymise(given, key, pseudonyms)
        unknown = given.join(rows, on=LINE, how="anti")[LINE].to_list() if chunk.is_sealed else []
        whole = replace(chunk, malformed=[*chunk.malformed, *unknown])
        _add_chunk(rows_of_table[chunk.table], whole, without_erased(rows, lake.denied, key), lake, delivery)
    return rows_of_table


def unreadable(lake: Lake, source: Source, today: date) -> StagedBatch:
    """Return the record of an unreadable file: one refused row of the table `unknown`."""
    entry = Batch(
        batch=short_hash(source.sha256, "unreadable_file"),
        batch_no=lake.next_batch_no(),
        table="unknown",
        source_file=shown(source.path.name),
        source_sha256=source.sha256,
        ingested_on=str(today),
        n_read=1,
        n_accepted=0,
        n_quarantined=1,
        n_duplicate=0,
    )
    refused = _malformed([1]).with_columns(reason=pl.lit("unreadable_file"))
    return StagedBatch(entry, {}, _quarantine_rows(refused, entry))


def _add_chunk(into: _TableRows, chunk: Chunk, raw: pl.DataFrame, lake: Lake, delivery: Delivery) -> None:
    """Add the rows of a chunk, pseudonymised as `raw`: to the accepted ones or to the quarantine."""
    contract, order = CONTRACTS[chunk.table], delivery.source.dialect.dates
    checked = apply_contract(raw, contract, delivery.today, lake.zone, order).with_columns(raw[LINE])
    is_valid = checked["reason"].is_null()
    valid = checked if is_valid.all() else checked.filter(is_valid)
    into.accepted.add(valid.drop("reason", "column_name", INVALID))
    into.invalid.append(count_invalid(valid, LINE))
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


def _refuse_unclear(source: Source, rows: _TableRows) -> None:
    """Raise UnreadableSource if most rows have a date or time that can be read only after a decision of the caller."""
    refused = pl.concat(rows.refused).select("column_name", "reason").with_columns(n_values=1, first_line=1)
    for column, reason, n_values, _ in add_counts([refused, *rows.invalid]).rows():
        if reason in _UNCLEAR and 2 * n_values > rows.n_read:
            raise UnreadableSource(f"{source.path}: {column} {_UNCLEAR[reason]}. Nothing was ingested from it")


def _entry(table: str, rows: _TableRows, delivery: Delivery, batch_no: int) -> Batch:
    """Return the entry of a batch whose rows have not been deduplicated yet, so that it has none."""
    return Batch(
        batch=delivery.batch_of(table),
        batch_no=batch_no,
        table=table,
        source_file=shown(delivery.source.path.name),
        source_sha256=delivery.source.sha256,
        ingested_on=str(delivery.today),
        n_read=rows.n_read,
        n_accepted=0,
        n_quarantined=0,
        n_duplicate=0,
        invalid_values=add_counts(rows.invalid).to_dicts(),
        columns=recorded_columns(rows.columns, CONTRACTS[table]),
        delivery=delivery.number,
        source_path=path_id(delivery.source.path),
    )


def _staged(lake: Lake, entry: Batch, rows: _TableRows, delivery: Delivery, folder: Path) -> Batch:
    """Deduplicate and write the rows of a batch; return its entry with their numbers."""
    contract, refused_late = CONTRACTS[entry.table], list[pl.DataFrame]()
    days, n_accepted, wholes = list[str](), 0, _wholes(contract, folder)
    for new, refused_here in _deduplicated(lake, contract, rows):
        refused_late.append(refused_here)
        fresh = new if wholes is None else new.join(wholes, on=wholes.columns, how="semi", maintain_order="left")
        parts = partitions(lake, contract, fresh, batch=entry.batch, batch_no=entry.batch_no, today=delivery.today)
        for day, part in parts.items():
            write_staged(folder, entry, entry.table, day, part)
        days, n_accepted = days + list(parts), n_accepted + fresh.height
    refused = [*rows.refused, pl.concat(refused_late).sort(LINE, maintain_order=True)]
    if sum(part.height for part in refused) > delivery.max_refused * entry.n_read:
        files.remove(folder / entry.table)
        valid = pl.concat([fresh for fresh, _ in _deduplicated(lake, contract, rows)])
        refused.append(_refused_typed(_marked(valid, BATCH_REFUSED)).sort(LINE, maintain_order=True))
        days, n_accepted = [], 0
    quarantine = delivery.source.place(_quarantine_rows(pl.concat(refused), entry))
    write_staged(folder, entry, "quarantine", entry.ingested_on, quarantine)
    n_read = entry.n_read if wholes is None else n_accepted + quarantine.height
    return replace(
        entry,
        n_read=n_read,
        n_accepted=n_accepted,
        n_quarantined=quarantine.height,
        n_duplicate=n_read - n_accepted - quarantine.height,
        days=sorted(days),
    )


def _wholes(contract: Contract, folder: Path) -> pl.DataFrame | None:
    """Return the ids of the staged rows that the rows of a table may be parts of; None if they are no parts."""
    if contract.part_of is None:
        return None
    table, column = contract.part_of
    staged = (pl.read_parquet(path, columns=[column], glob=False) for path in (folder / table).rglob("*.parquet"))
    return pl.concat([pl.DataFrame(schema={column: pl.String}), *staged])


def _deduplicated(lake: Lake, contract: Contract, rows: _TableRows) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the new rows of each group, and its rows for the quarantine: valid ones that cannot enter beside others."""
    for group in rows.accepted.groups():
        read, incomparable = comparable(lake, contract, group)
        fresh, conflicting = without_stored(lake, contract, read, is_fill_only=rows.is_fill_only)
        marked = _marked(conflicting, "conflicting_row")
        yield fresh, pl.concat([_refused_typed(incomparable), _refused_typed(marked)])


def _marked(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Add the reason for which whole rows are refused."""
    return rows.with_columns(reason=pl.lit(reason), column_name=pl.lit(None, dtype=pl.String))


def _refused(checked: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    shown_names = (name for name in raw.columns if name != LINE and name not in _WITHHELD)
    texts = (redacted(pl.col(name)).str.slice(0, MAX_CHARS) for name in shown_names)
    payload = pl.struct(texts).struct.json_encode()
    return checked.select("reason", "column_name", LINE).with_columns(raw.select(payload.alias("payload")).to_series())


def _refused_typed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return quarantine rows for rows in the contract's types with `reason` and `column_name`."""
    lists = cs.list().cast(pl.List(pl.String)).list.join("|")
    texts = rows.drop(LINE, "reason", "column_name").with_columns(lists).cast(pl.String)
    return _refused(rows.select(LINE, "reason", "column_name"), texts)


def _malformed(lines: list[int]) -> pl.DataFrame:
    """Return quarantine rows for lines that could not be parsed, without their text, which cannot be pseudonymised."""
    unknown = pl.lit(None, dtype=pl.String)
    return pl.DataFrame({LINE: lines}, schema={LINE: pl.Int64}).select(
        pl.lit("malformed_row").alias("reason"), unknown.alias("column_name"), LINE, unknown.alias("payload")
    )


def _quarantine_rows(refused: pl.DataFrame, entry: Batch) -> pl.DataFrame:
    named = refused.rename({LINE: "source_line"}).with_columns(
        source_table=pl.lit(entry.table), source_file=pl.lit(entry.source_file), batch=pl.lit(entry.batch)
    )
    return named.select(QUARANTINE.names()).cast(QUARANTINE)
