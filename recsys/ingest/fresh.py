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
        the lake. Rows of a table that is made at ingest, or that states wholes, are not compared with the lake.
    """
    if not contract.is_delivered or contract.is_whole:
        return _first_of_key(contract, read)
    days = _days(read, contract.instant, lake.zone) if contract.instant else None
    stored = (
        (lake.latest(contract) if days is None else lake.rows(contract.table, days)).select(contract.names).collect()
    )
    if is_fill_only:
        candidates = read.unique(contract.key, keep="first", maintain_order=True)
        return _without(candidates, stored, contract.key), read.clear()
    if contract.instant:
        return _new_events(contract, in_order(read, contract), stored)
    first, conflicting = _first_of_key(contract, read)
    return _without(first, stored, contract.names), conflicting


def _first_of_key(contract: Contract, read: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the first row of each key, and the rows with other values than the first of their key."""
    distinct = read.unique(contract.names, keep="first", maintain_order=True)
    first = distinct.unique(contract.key, keep="first", maintain_order=True)
    return first, _without(distinct, first, LINE)


def _new_events(contract: Contract, rows: pl.DataFrame, stored: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate new and conflicting rows of an event table, given in order; both results are in order."""
    new = _without(_distinct(contract, rows), stored, contract.names)
    fresh = _without(new.filter(~_repeats_key(contract, new)), stored, contract.key)
    return fresh, new.clear() if fresh.height == new.height else _without(new, fresh, LINE)


def _distinct(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out rows that equal an earlier one; only rows that share their key with a neighbour need to be compared."""
    repeats = _repeats_key(contract, rows)
    if not repeats.any():
        return rows
    shares = repeats | repeats.shift(-1, fill_value=False)
    kept = rows.with_row_index("_row").filter(shares).unique(contract.names, keep="first")["_row"]
    return rows.filter((~shares).scatter(kept, True))


def _repeats_key(contract: Contract, rows: pl.DataFrame) -> pl.Series:
    """Return whether each row has the key of the row before it."""
    same = [pl.col(name) == pl.col(name).shift(1) for name in contract.key]
    return rows.select(pl.all_horizontal(same).fill_null(value=False)).to_series()


def in_order(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """
    Sort the rows of an event table by time, key and line.

    The order by time is found first; few rows share their instant with another, and only these are compared by key.
    """
    order = rows[str(contract.instant)].arg_sort()
    instants = rows[str(contract.instant)].gather(order)
    same = (instants == instants.shift(1)).fill_null(value=False)
    places = (same | same.shift(-1, fill_value=False)).arg_true()
    by = [name for name in dict.fromkeys((str(contract.instant), *contract.key, LINE)) if name in rows.columns]
    tied = rows.select(by)[order.gather(places)].with_columns(_row=order.gather(places)).sort(by)
    order = order.scatter(places, tied["_row"])
    return rows if order.is_sorted() else rows[order]


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: str | Sequence[str]) -> pl.DataFrame:
    """Return the rows whose values in the columns `on` do not occur in `others`; a null equals a null."""
    if others.is_empty():
        return rows
    return rows.join(others, on=on, how="anti", nulls_equal=True, maintain_order="left")


def day_of(instant: str, zone: ZoneInfo) -> pl.Expr:
    """Return the day of an instant in the market time zone, as `ds`."""
    return pl.col(instant).dt.convert_time_zone(zone.key).dt.date().alias("ds")


def _days(rows: pl.DataFrame, instant: str, zone: ZoneInfo) -> list[date]:
    return rows.select(day_of(instant, zone)).to_series().unique().sort().to_list()


def by_day(rows: pl.DataFrame, instant: str, zone: ZoneInfo) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Sort rows by their day in the market time zone, and else keep their order.

    Returns:
        The rows; and of each day `ds`, `start` (its first row, from 0) and `n_rows`.
    """
    days = rows.select(day_of(instant, zone)).to_series()
    if not days.is_sorted():  # the day is not sorted by time either where clocks are put back at midnight
        order = days.to_frame().select(pl.arg_sort_by("ds", maintain_order=True)).to_series()
        rows, days = rows[order], days.gather(order)
    runs = days.rle().struct.unnest().select(ds="value", n_rows=pl.col("len").cast(pl.Int64))
    return rows, runs.with_columns(start=pl.cum_sum("n_rows") - pl.col("n_rows"))


def partitions(
    lake: Lake, contract: Contract, rows: pl.DataFrame, *, batch: str, batch_no: int, today: date
) -> dict[str, pl.DataFrame]:
    """
    Split new rows by their `ds`, as text: the day of the event, or of a reference table the day of ingest.

    Args:
        lake: The lake, which says which rows an undone batch had brought before.
        contract: The contract of the rows' table.
        rows: New rows (see `without_stored`), those of an event table in order.
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
    numbered, days = by_day(
        _with_former_numbers(lake, contract, _numbered(marked, batch_no)), contract.instant, lake.zone
    )
    return {str(ds): numbered.slice(start, n_rows) for ds, n_rows, start in days.rows()}


def _numbered(rows: pl.DataFrame, batch_no: int) -> pl.DataFrame:
    return rows.with_columns(batch_no=pl.lit(batch_no, dtype=pl.Int64))


def _with_former_numbers(lake: Lake, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """
    Give rows that return after an undo the number of the undone batch.

    Rows are matched by the table's key, with the day in place of the instant: the first undone row of a listener,
    recording and day by the first new one, and so on. So a file whose times were corrected within the day matches too.
    """
    instant = str(contract.instant)
    days = _days(rows, instant, lake.zone)
    undone = lake.undone_keys(contract.table, days)
    if undone.is_empty():
        return rows
    same = ["ds", *(name for name in contract.key if name != contract.instant)]
    numbers = undone["batch_no"].unique().implode()
    back = lake.rows(contract.table, days).filter(pl.col("batch_no").is_in(numbers)).collect()
    place = pl.int_range(pl.len()).over(*same, "batch_no").alias("place")
    returned = back.with_columns(day_of(instant, lake.zone)).select(*same, "batch_no", place)
    waiting = undone.select(*same, "batch_no", place).join(returned, on=[*same, "batch_no", "place"], how="anti")
    nth = pl.int_range(pl.len()).over(same).alias("nth")
    former = waiting.sort("batch_no").select(*same, nth, former_no="batch_no")
    with_days = rows.with_columns(day_of(instant, lake.zone)).with_columns(nth)
    matched = with_days.join(former, on=[*same, "nth"], how="left", maintain_order="left")
    return matched.with_columns(batch_no=pl.coalesce("former_no", "batch_no")).drop("ds", "nth", "former_no")
