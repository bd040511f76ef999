"""
Which accepted rows are new to the lake, their partitions, and the numbers of the batches that brought them.

Ingest and replays from the quarantine write rows to the lake by these functions.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from recsys.ingest.source import LINE
from recsys.lake.contract import Contract
from recsys.lake.store import Lake


def without_stored(
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


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: str | Sequence[str]) -> pl.DataFrame:
    """Return the rows whose values in the columns `on` do not occur in `others`; a null equals a null."""
    return rows.join(others, on=on, how="anti", nulls_equal=True, maintain_order="left")


def _day_of(instant: str, zone: ZoneInfo) -> pl.Expr:
    """Return the day of an instant in the market time zone, as `ds`."""
    return pl.col(instant).dt.convert_time_zone(zone.key).dt.date().alias("ds")


def partitions(
    lake: Lake, contract: Contract, rows: pl.DataFrame, *, batch: str, batch_no: int, today: date
) -> dict[str, pl.DataFrame]:
    """
    Split new rows by their `ds`, as text: the day of the event, or of a reference table the day of ingest.

    Args:
        lake: The lake, which says which rows an undone batch had brought before.
        contract: The contract of the rows' table.
        rows: The table's columns.
        batch: Id of the batch that brings the rows.
        batch_no: Its number.
        today: The day of ingest.

    Returns:
        Day -> rows with the columns `batch` and `batch_no`. The latter is the number of the undone batch for a row that
        returns after a period that counts it was closed (see `recsys.ingest.undo`).
    """
    marked = rows.select(contract.names).with_columns(batch=pl.lit(batch))
    if not contract.instant:
        return {str(today): _numbered(marked, batch_no)} if rows.height else {}
    by_day = marked.sort(contract.instant, *contract.key).with_columns(_day_of(contract.instant, lake.zone))
    numbered = _with_former_numbers(lake, contract, _numbered(by_day, batch_no))
    days = numbered.partition_by("ds", as_dict=True, include_key=False, maintain_order=True)
    return {str(day): part for (day,), part in days.items()}


def _numbered(rows: pl.DataFrame, batch_no: int) -> pl.DataFrame:
    return rows.with_columns(batch_no=pl.lit(batch_no, dtype=pl.Int64))


def _with_former_numbers(lake: Lake, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """
    Give rows that return after an undo the number of the undone batch.

    Rows are matched by the table's key, with the day in place of the instant: the first undone row of a listener,
    recording and day by the first new one, and so on. So a file whose times were corrected within the day matches too.
    """
    days = rows["ds"].unique().sort().to_list()
    undone = lake.undone_keys(contract.table, days)
    if undone.is_empty():
        return rows
    same = ["ds", *(name for name in contract.key if name != contract.instant)]
    numbers = undone["batch_no"].unique().implode()
    back = lake.rows(contract.table, days).filter(pl.col("batch_no").is_in(numbers)).collect()
    place = pl.int_range(pl.len()).over(*same, "batch_no").alias("place")
    returned = back.with_columns(_day_of(str(contract.instant), lake.zone)).select(*same, "batch_no", place)
    waiting = undone.select(*same, "batch_no", place).join(returned, on=[*same, "batch_no", "place"], how="anti")
    nth = pl.int_range(pl.len()).over(same).alias("nth")
    former = waiting.sort("batch_no").select(*same, nth, former_no="batch_no")
    matched = rows.with_columns(nth).join(former, on=[*same, "nth"], how="left", maintain_order="left")
    return matched.with_columns(batch_no=pl.coalesce("former_no", "batch_no")).drop("nth", "former_no")
