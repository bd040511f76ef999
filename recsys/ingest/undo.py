"""
Take an ingested file back: its rows leave the lake, its entries in the batch log stay and say when.

All tables of the file and the rows of it that were replayed from the quarantine are taken back together. The file can
be ingested again (see `recsys.ingest.deliveries`).

Lines of the ledger of labels' figures that count its rows are never revised. So that no later line counts the same
listening again, the keys of the rows that closings may have counted are kept in `lake/_undone`: when such rows return,
they get the number of the undone batch, and the ledger takes them for the rows that it has counted (see
`recsys.ingest.fresh.partitions`).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import polars as pl

from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.quarantine import batch_named, stored_at
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Batch, Lake
from recsys.ledger.store import Ledger


def undo(home: Home, batch_id: str, *, today: date) -> list[Batch]:
    """
    Take back the file that brought a batch.

    Args:
        home: The home; the caller must hold its lock.
        batch_id: One of the file's batches.
        today: The day of the undo.

    Returns:
        The batches that were taken back, as they were.

    Raises:
        UnknownIds: There is no such batch.
        InputError: It was taken back before, is a scan of music, or is a file that could not be read.
    """
    lake = Lake(home)
    lake.recover()
    name, entries = lake.delivery_of(batch_id)
    _refuse_undo(batch_named(lake, batch_id))
    last_no = lake.next_batch_no() - 1
    closings = _closings(home)
    lake.change(
        name,
        [replace(entry, undone_on=str(today), undone_no=last_no) for entry in entries],
        written={path: keys for entry in entries for path, keys in _counted_keys(lake, entry, closings)},
        removed=[path for entry in entries for path in (*_parts(entry), stored_at(entry))],
    )
    return entries


def _refuse_undo(batch: Batch) -> None:
    if batch.undone_on:
        raise InputError(f"The batch {batch.batch} of {batch.source_file} was taken back on {batch.undone_on}")
    if batch.members:
        raise InputError(
            f"The batch {batch.batch} is a scan of music, which cannot be taken back. "
            "To keep recordings out of lists and indexes: recsys takedown TRACK"
        )
    if batch.table not in CONTRACTS:
        raise InputError(
            f"No row of {batch.source_file} entered the lake. To delete the record of it: "
            f"recsys quarantine drop {batch.batch}"
        )


def _parts(batch: Batch) -> list[str]:
    return [f"{batch.table}/ds={day}/{batch.batch}.parquet" for day in batch.days]


def _closings(home: Home) -> pl.DataFrame | None:
    """Return last_day and last_batch of each closing of the ledger; None if the ledger is damaged."""
    try:
        return Ledger(home).read().closings.select("last_day", "last_batch")
    except InputError:
        return None


def _counted_keys(lake: Lake, batch: Batch, closings: pl.DataFrame | None) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield path and keys of the rows that closings may have counted; of a damaged ledger, of all rows."""
    contract = CONTRACTS[batch.table]
    if not contract.instant:
        return
    for path, day in zip(_parts(batch), batch.days, strict=True):
        rows = pl.read_parquet(lake.folder / path, glob=False).filter(batch_no=batch.batch_no)
        knew = (
            None
            if closings is None
            else closings.filter(pl.col("last_day") >= date.fromisoformat(day), pl.col("last_batch") >= batch.batch_no)
        )
        if not rows.is_empty() and (knew is None or not knew.is_empty()):
            ds = pl.lit(date.fromisoformat(day)).alias("ds")
            yield f"_undone/{path}", rows.select(*contract.key, "batch_no", ds)
