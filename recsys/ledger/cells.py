"""
The disclosure test of a figure, and the partition of a total into cells that all pass it.

A figure passes if enough distinct listeners are behind it and no two of them make most of it. In a partition, cells
that fail are merged into one cell, 'others' (cell = null), with the smallest cells that pass, until it passes as well.
So every cell, and the difference between the total and any of them, is a figure that passes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from recsys.ledger.settings import LabelSettings


def passes(n_listeners: Any, value: Any, top_two: Any, settings: LabelSettings) -> Any:
    """
    Return whether a figure passes the test.

    Args:
        n_listeners: Distinct listeners behind it. A number, or a polars expression, as are the next two.
        value: The figure.
        top_two: What its two greatest listeners make of it.
        settings: The test.
    """
    return (n_listeners >= settings.min_listeners) & (top_two <= settings.max_top_two * value)


def does_pass(settings: LabelSettings) -> pl.Expr:
    """Return the test of the rows of a table with the columns of `summed`."""
    test: pl.Expr = passes(pl.col("n_listeners"), pl.col("value"), pl.col("top_two"), settings)
    return test


def summed(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """
    Sum the values of rows per group.

    Args:
        rows: The columns `keys`, user_id and value > 0.
        keys: Columns of a group.

    Returns:
        The columns `keys`, n_listeners (distinct), value (sum), and top_two (sum of its two greatest listeners).
    """
    return summed_listeners(rows.group_by(*keys, "user_id").agg(pl.col("value").sum()), keys)


def summed_listeners(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return what `summed` does, of rows of which each group has one per listener."""
    return rows.group_by(keys).agg(
        n_listeners=pl.len().cast(pl.Int64), top_two=pl.col("value").top_k(2).sum(), value=pl.col("value").sum()
    )


def partition(rows: pl.DataFrame, keys: Sequence[str], settings: LabelSettings) -> pl.DataFrame:
    """
    Partition the total of each group into cells.

    Args:
        rows: The columns `keys`, cell (null: no cell of its own), user_id and value > 0. The total of a group must pass
            the test.
        keys: Columns of a group.
        settings: The test.

    Returns:
        The columns `keys`, cell (null for 'others'), n_listeners, top_two, value. Every row passes the test; the values
        of a group add up to its total.
    """
    rows = rows.group_by(*keys, "cell", "user_id").agg(pl.col("value").sum())

    def rows_in(cells: pl.DataFrame) -> pl.DataFrame:
        return rows.join(cells, on=[*keys, "cell"], how="semi", nulls_equal=True)

    return partition_cells(summed_listeners(rows, [*keys, "cell"]), rows_in, keys, settings)


def partition_cells(
    cells: pl.DataFrame, rows_in: Callable[[pl.DataFrame], pl.DataFrame], keys: Sequence[str], settings: LabelSettings
) -> pl.DataFrame:
    """
    Return what `partition` does, from the sums of the cells.

    Args:
        cells: The columns `keys`, cell, n_listeners, top_two, value.
        rows_in: Returns the rows of some cells, given by `keys` and cell: the columns `keys`, user_id and value.
        keys: Columns of a group.
        settings: The test.
    """
    cells = cells.sort(*keys, "n_listeners", "value", "cell")
    cells = cells.with_columns(is_named=does_pass(settings) & pl.col("cell").is_not_null())
    parts = []
    while True:  # in each turn, only the groups whose others failed in the last one
        others = _others(rows_in(cells.filter(~pl.col("is_named")).select(*keys, "cell")), keys, cells["cell"].dtype)
        failing = others.filter(~does_pass(settings))
        named = cells.filter("is_named").drop("is_named")
        smallest = named.join(failing, on=keys, how="semi").unique(keys, keep="first", maintain_order=True)
        parts += [part.join(smallest, on=keys, how="anti") for part in (named, others.select(named.columns))]
        if smallest.is_empty():  # where others still fail, all cells are merged: the group consists of its total
            return pl.concat(parts).sort(*keys, "cell", nulls_last=True)
        cells = cells.join(smallest, on=keys, how="semi", maintain_order="left")
        merged = smallest.select(*keys, "cell", is_merged=True)
        cells = cells.join(merged, on=[*keys, "cell"], how="left", maintain_order="left", nulls_equal=True)
        cells = cells.with_columns(is_named=pl.col("is_named") & pl.col("is_merged").is_null()).drop("is_merged")


def _others(rows: pl.DataFrame, keys: Sequence[str], cell: pl.DataType) -> pl.DataFrame:
    """Return the merged cell of each group that has rows; `cell` is the type of a cell's name."""
    return summed(rows, keys).with_columns(cell=pl.lit(None, cell))
