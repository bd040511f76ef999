"""
Read the quarantine: which rows were refused, why, and where they are in their files; and delete rows from it.

The quarantine is read from the lake, so it can be asked when nothing was accepted and there is no warehouse. Its values
are texts from the file, with listener ids pseudonymised, and e-mail and IP addresses replaced.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import polars as pl

from recsys.errors import InputError
from recsys.lake.contract import CONTRACTS, QUARANTINE
from recsys.lake.store import Batch, Lake

WHOLE_FILE = "unknown"  # the table of a file that could not be read
NO_FILES: Mapping[str, pl.DataFrame] = MappingProxyType({})
_COUNT_KEYS = ("batch", "source_file", "source_table", "reason", "column_name")


def stored_at(batch: Batch) -> str:
    """Return the path, in the lake, of a batch's rows in the quarantine."""
    return f"quarantine/ds={batch.ingested_on}/{batch.batch}.parquet"


def refused_by(lake: Lake, batch: Batch) -> pl.DataFrame:
    """Return a batch's rows in the quarantine, in the order of the file."""
    path = lake.folder / stored_at(batch)
    return pl.read_parquet(path, glob=False) if path.exists() else pl.DataFrame(schema=QUARANTINE)


def with_refused_rows(lake: Lake) -> list[Batch]:
    """List the batches with rows in the quarantine; unreadable files that have been ingested since are left out."""
    batches = lake.batches()
    ingested = {batch.source_sha256 for batch in batches if batch.table in CONTRACTS}
    return [
        batch
        for batch in batches
        if batch.n_quarantined and not (batch.table == WHOLE_FILE and batch.source_sha256 in ingested)
    ]


def count_refused(lake: Lake) -> pl.DataFrame:
    """Count the rows in the quarantine: batch, source_file, source_table, reason, column_name, n_rows, first_line."""
    rows = pl.concat([pl.DataFrame(schema=QUARANTINE), *(refused_by(lake, batch) for batch in with_refused_rows(lake))])
    counts = rows.group_by(_COUNT_KEYS, maintain_order=True).agg(
        n_rows=pl.len().cast(pl.Int64), first_line=pl.col("source_line").min()
    )
    return counts.sort("n_rows", descending=True, maintain_order=True)


def show_refused(lake: Lake, batch_id: str, *, reason: str | None = None) -> pl.DataFrame:
    """
    Return the rows of a batch in the quarantine.

    Args:
        lake: The lake.
        batch_id: The batch.
        reason: Only rows that were refused for this reason; None for all.

    Returns:
        source_file, source_line, reason, column_name, value (of that column), row (all its values as JSON). Value and
        row are null where the row could not be parsed.

    Raises:
        UnknownIds: There is no such batch.
    """
    rows = refused_by(lake, batch_named(lake, batch_id))
    chosen = rows if reason is None else rows.filter(reason=reason)
    values = [
        json.loads(payload).get(column) if payload and column else None
        for payload, column in chosen.select("payload", "column_name").iter_rows()
    ]
    return chosen.select(
        "source_file",
        "source_line",
        "reason",
        "column_name",
        pl.Series("value", values, dtype=pl.String, strict=False),
        row="payload",
    )


def batch_named(lake: Lake, batch_id: str) -> Batch:
    """Return an entry of the batch log; raises UnknownIds if there is no such batch."""
    _, entries = lake.delivery_of(batch_id)
    return next(entry for entry in entries if entry.batch == batch_id)


def drop_refused(lake: Lake, batch_id: str, *, reason: str | None = None) -> int:
    """
    Delete rows of a batch from the quarantine, for good; the batch log keeps their number.

    Args:
        lake: The lake; the caller must hold the lock of its home.
        batch_id: The batch.
        reason: Only rows that were refused for this reason; None for all.

    Returns:
        The number of deleted rows.

    Raises:
        UnknownIds: There is no such batch.
        InputError: It has no such rows in the quarantine.
    """
    lake.recover()
    batch = batch_named(lake, batch_id)
    rows = refused_by(lake, batch)
    kept = rows.clear() if reason is None else rows.filter(pl.col("reason") != reason)
    n_dropped = rows.height - kept.height
    if not n_dropped:
        refused_for = f"refused for {reason!r} " if reason else ""
        raise InputError(
            f"The batch {batch_id} has no rows {refused_for}in the quarantine. See: recsys quarantine list"
        )
    changed = replace(batch, n_quarantined=kept.height, n_dropped=batch.n_dropped + n_dropped)
    replace_refused(lake, batch, changed, kept)
    return n_dropped


def replace_refused(
    lake: Lake,
    before: Batch,
    after: Batch,
    kept: pl.DataFrame,
    *,
    added: Sequence[Batch] = (),
    written: Mapping[str, pl.DataFrame] = NO_FILES,
) -> None:
    """
    Replace a batch's rows in the quarantine atomically, together with its entry in the batch log.

    Args:
        lake: The lake.
        before: The batch's entry as it is.
        after: The batch's entry as it will be.
        kept: The rows that stay in the quarantine.
        added: New entries, for rows that enter the lake.
        written: Path in the lake -> rows that enter.
    """
    name, entries = lake.delivery_of(before.batch)
    changed = [after if entry == before else entry for entry in entries] + list(added)
    path = stored_at(before)
    rows = {} if kept.is_empty() else {path: kept}
    lake.change(name, changed, written=rows | dict(written), removed=[path] if kept.is_empty() else [])
