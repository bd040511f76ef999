"""
Replay rows of the quarantine: check them against the contract again, and write those that satisfy it now to the lake.

The stored texts of a row are used, or the file if it is given again: needed for rows that could not be parsed, whose
stored texts lack an address that was replaced, or that are so long that they may have been cut. Rows that enter form a
new batch of the same file. Rows that are in the lake by now leave the quarantine as duplicates; of a reference table,
also those of which a later file brought a newer version.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from shlex import quote

import polars as pl

from recsys.errors import InputError
from recsys.files import short_hash
from recsys.home import Home
from recsys.ingest.coerce import apply_contract
from recsys.ingest.fresh import partitions, without_stored
from recsys.ingest.pseudonym import listener_key, pseudonymise, without_erased
from recsys.ingest.quarantine import batch_named, refused_by, replace_refused, with_refused_rows
from recsys.ingest.settings import IngestSettings
from recsys.ingest.source import LINE, Source
from recsys.ingest.vectors import comparable
from recsys.lake.contract import CONTRACTS, DELIVERED, Contract
from recsys.lake.denied import DenyList
from recsys.lake.store import Batch, Lake

BATCH_REFUSED = "batch_refused"  # of a valid row in a file with too many refused rows
IN_FUTURE = "in_future"
_REMOVED = "[removed]"
_MAX_STORED = 1_000  # characters of a text that are certainly stored


@dataclass(frozen=True)
class ReplayReport:
    """
    The result of replays.

    Attributes:
        entered: The batches of the rows that left the quarantine: accepted rows and duplicates.
        n_left: Rows that are still refused.
        n_unreadable: How many of these need their file again.
    """

    entered: list[Batch]
    n_left: int
    n_unreadable: int


@dataclass(frozen=True)
class _Plan:
    """The rows of one batch that satisfy the contract now, by their position in the quarantine (`_line`)."""

    origin: Batch
    refused: pl.DataFrame
    valid: pl.DataFrame
    n_unreadable: int

    @property
    def id(self) -> str:
        return short_hash(self.origin.batch, *map(str, self.valid[LINE].sort()))


def replay(
    home: Home,
    *,
    today: date,
    settings: IngestSettings,
    batch_id: str | None = None,
    file: Path | None = None,
) -> ReplayReport:
    """
    Replay the quarantine.

    Args:
        home: The home; the caller must hold its lock.
        today: The day of the replay in the market time zone; later instants are refused as future.
        settings: When a file is refused as a whole.
        batch_id: Only the rows of this batch; None for all.
        file: The file that brought the rows, to read them from it; then only its rows are replayed.

    Raises:
        UnknownIds: There is no such batch.
        InputError: No row of the file is in the quarantine, or the rows of the batch were made at ingest.
        UnreadableSource: The file cannot be read.
    """
    lake = Lake(home)
    lake.recover()
    batches = with_refused_rows(lake) if batch_id is None else [_replayable(batch_named(lake, batch_id))]
    batches = [batch for batch in batches if batch.table in DELIVERED and not batch.members and not batch.undone_on]
    texts = {}
    if file:
        source = Source(file)
        batches = [batch for batch in batches if batch.source_sha256 == source.sha256]
        if not batches:
            raise InputError(f"No row of {file} is in the quarantine. To ingest it: recsys ingest {quote(str(file))}")
        texts = _texts_of_file(source, {batch.table for batch in batches}, listener_key(home.key_file), lake.denied)
    plans = (_plan(lake, batch, today, settings, texts.get(batch.table)) for batch in batches)
    return _enter(lake, plans, today)


def _replayable(batch: Batch) -> Batch:
    """Raise InputError if the rows of a batch were made at ingest: they have parts in other tables."""
    if batch.table in CONTRACTS and batch.table not in DELIVERED:
        raise InputError(
            f"The rows of {batch.table} are made of what {batch.source_file} brings, and enter with it only. Take it "
            f"back: recsys ingest --undo {batch.batch}, then ingest the file again"
        )
    return batch


def replay_future(lake: Lake, today: date, settings: IngestSettings) -> list[Batch]:
    """Let the rows enter that had been refused as future and whose day has come; return their batches."""
    return _enter(lake, _due(lake, today, settings), today).entered


def due_sources(home: Home, today: date, settings: IngestSettings) -> set[str]:
    """Return the ids that `Lake.sources` will have for the rows that `replay_future` would let enter."""
    due = (replace(plan.origin, replay=plan.id) for plan in _due(Lake(home), today, settings))
    return set().union(*(batch.source_ids for batch in due))


def _due(lake: Lake, today: date, settings: IngestSettings) -> Iterable[_Plan]:
    for batch in with_refused_rows(lake):
        if batch.table in DELIVERED and not batch.members:
            plan = _plan(lake, batch, today, settings, None, only=IN_FUTURE)
            if not plan.valid.is_empty():
                yield plan


def _plan(
    lake: Lake,
    batch: Batch,
    today: date,
    settings: IngestSettings,
    texts_of_file: pl.DataFrame | None,
    *,
    only: str | None = None,
) -> _Plan:
    """Find the rows of a batch that satisfy the contract now; `only` considers those refused for one reason."""
    refused, contract = refused_by(lake, batch).with_row_index(LINE), CONTRACTS[batch.table]
    is_whole = (refused["reason"] == BATCH_REFUSED).any()
    considered = refused if only is None or is_whole else refused.filter(reason=only)
    if (only and not (refused["reason"] == only).any()) or considered.is_empty():
        return _Plan(batch, refused, pl.DataFrame(), 0)
    if texts_of_file is None:
        texts, numbers = _stored_texts(considered, contract)
    else:
        member = pl.col("source_file").str.strip_prefix(batch.source_file).alias("member")
        places = considered.select(LINE, member, "source_line")
        lines = places.join(texts_of_file, on=["member", "source_line"], maintain_order="left")
        texts, numbers = lines.select(contract.names), lines[LINE]
    checked = apply_contract(texts, contract, today, lake.zone)
    typed = checked.with_columns(numbers.cast(pl.Int64).alias(LINE)).filter(pl.col("reason").is_null())
    valid, _ = comparable(lake, contract, typed.select(*contract.names, LINE))
    n_bad = refused.height - valid.height
    if is_whole and n_bad > settings.max_refused * batch.n_read:
        valid = valid.clear()
    return _Plan(batch, refused, valid, considered.height - texts.height)


def _stored_texts(refused: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.Series]:
    """Return the texts of the rows that are stored completely, and their positions in the quarantine."""
    personal = [field.name for field in contract.fields if field.is_personal]
    fields = pl.Struct({name: pl.String() for name in contract.names})
    parsed = refused.drop_nulls("payload").with_columns(pl.col("payload").str.json_decode(fields)).unnest("payload")
    replaced = [pl.col(name).str.contains(_REMOVED, literal=True) for name in contract.names if name not in personal]
    cut = [pl.col(name).str.len_chars() >= _MAX_STORED for name in contract.names]
    whole = parsed.filter(~pl.any_horizontal(*replaced, *cut).fill_null(value=False))
    return whole.select(contract.names), whole[LINE]


def _texts_of_file(source: Source, tables: set[str], key: bytes, denied: DenyList) -> dict[str, pl.DataFrame]:
    """Read a file again: table -> pseudonymised texts with `source_line`, and `member` if it is an archive's."""
    named = next(iter(tables)) if len(tables) == 1 else None
    texts: dict[str, list[pl.DataFrame]] = {table: [] for table in tables}
    for chunk in source.chunks(table=named):
        if chunk.table in tables:
            names = CONTRACTS[chunk.table].names
            missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in chunk.rows.columns]
            rows = without_erased(pseudonymise(chunk.rows.with_columns(missing), key), denied, key)
            texts[chunk.table].append(rows.select(*names, pl.col(LINE).alias("source_line"), source_file=pl.lit("")))
    placed = {table: source.place(pl.concat(rows)) for table, rows in texts.items() if rows}
    return {table: rows.rename({"source_file": "member"}) for table, rows in placed.items()}


def _enter(lake: Lake, plans: Iterable[_Plan], today: date) -> ReplayReport:
    """Write the valid rows of each batch to the lake, one atomic change per batch."""
    entered, n_left, n_unreadable = [], 0, 0
    for plan in list(plans):
        batch = None if plan.valid.is_empty() else _enter_one(lake, plan, today)
        entered += [batch] if batch else []
        n_left += plan.refused.height - (batch.n_read if batch else 0)
        n_unreadable += plan.n_unreadable
    return ReplayReport(entered, n_left, n_unreadable)


def _enter_one(lake: Lake, plan: _Plan, today: date) -> Batch | None:
    """Write valid rows to the lake; return their batch, None if all conflict with rows of the lake."""
    contract, origin = CONTRACTS[plan.origin.table], plan.origin
    current = _without_newer(lake, contract, plan.valid, origin.batch_no)
    fresh, conflicting = without_stored(lake, contract, current, is_fill_only=False)
    left = plan.valid.join(conflicting, on=LINE, how="anti")
    if left.is_empty():
        return None
    batch, batch_no = short_hash(origin.batch, "replay", plan.id), lake.next_batch_no()
    parts = partitions(lake, contract, fresh, batch=batch, batch_no=batch_no, today=today)
    added = replace(
        origin,
        batch=batch,
        batch_no=batch_no,
        ingested_on=str(today),
        n_read=left.height,
        n_accepted=fresh.height,
        n_quarantined=0,
        n_duplicate=left.height - fresh.height,
        days=sorted(parts),
        replay=plan.id,
        n_replayed=0,
        n_dropped=0,
        n_expired=0,
        invalid_values=[],
        checksums={},
    )
    after = replace(
        origin,
        n_quarantined=origin.n_quarantined - left.height,
        n_replayed=origin.n_replayed + left.height,
    )
    kept = plan.refused.join(left.select(pl.col(LINE).cast(pl.UInt32)), on=LINE, how="anti").drop(LINE)
    written = {f"{contract.table}/ds={day}/{batch}.parquet": rows for day, rows in parts.items()}
    replace_refused(lake, origin, after, kept, added=[added], written=written)
    return added


def _without_newer(lake: Lake, contract: Contract, rows: pl.DataFrame, batch_no: int) -> pl.DataFrame:
    """Leave out the rows of a reference table of which a later batch than `batch_no` brought another version."""
    if contract.instant:
        return rows
    newer = lake.rows(contract.table).filter(pl.col("batch_no") > batch_no).select(contract.key).unique().collect()
    return rows.join(newer, on=contract.key, how="anti", nulls_equal=True)
