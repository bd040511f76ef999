"""
How columns of numbers are written: in tables, and in files with their units.

Shares and relative changes are in per cent on pages and in CSV files, and from 0 to 1 in Parquet files and in marts.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from recsys.warehouse.spreadsheet import csv_text

# Names of columns of shares or relative changes, besides those that end in `share`.
SHARES = frozenset({"change", "own_change", "completion_rate", "save_rate", "rate", "estimate", "probability"})
PERCENT = "%.1f%%"
DETAILED_BELOW = 100  # columns of smaller numbers have two decimals (below 1, three), others one
N_ON_PHONE = 3  # columns that a phone has space for
PHONE_NAME_WIDTH = 180  # of a name in a table on a phone, which leaves space for two numbers [px]


def share_columns(rows: pl.DataFrame, formats: Mapping[str, str] = {}) -> list[str]:
    """Return the columns of shares and relative changes (1 is all, or twice as much), which are shown in per cent."""
    return [
        name
        for name, dtype in rows.schema.items()
        if dtype.is_float() and formats.get(name, "percent" if is_share(name) else "") == "percent"
    ]


def is_share(name: str) -> bool:
    """Return whether a column of this name has shares or relative changes."""
    return name.endswith("share") or name in SHARES


def in_percent(rows: pl.DataFrame, shares: Sequence[str]) -> pl.DataFrame:
    """Return rows with some columns in per cent, without the digits that the multiplication leaves behind."""
    return rows.with_columns((pl.col(name) * 100).round(6) for name in shares)


def is_phone() -> bool:
    """Return whether the viewer's browser says that it is that of a phone."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def important_columns(rows: pl.DataFrame, shown: Sequence[str], name: str) -> list[str]:
    """Return N_ON_PHONE of the columns in their order: the name, and as many of the first numbers as have space."""
    others = [column for column in shown if column != name]
    ranked = sorted(others, key=lambda column: not rows.schema[column].is_numeric())  # stable
    chosen = {name, *ranked[: N_ON_PHONE - 1]}
    return [column for column in shown if column in chosen]


def csv_of(rows: pl.DataFrame, shares: Sequence[str]) -> str:
    """Return rows as CSV whose headings say the unit: shares are in per cent, and their names end in `_percent`."""
    named = in_percent(rows, shares).rename({name: f"{name}_percent" for name in shares})
    return csv_text(_lists_as_text(named))


def number_form(values: pl.Series) -> str:
    """Return the format of a column of numbers: counts have no decimals, other numbers equally many."""
    if values.dtype.is_integer():
        return "localized"
    known = values.cast(pl.Float64).drop_nulls().drop_nans()
    if len(known) and (known >= DETAILED_BELOW).all() and (known == known.round()).all():
        return "localized"  # counts that a query has averaged or summed
    greatest = known.abs().to_numpy().max(initial=0)
    return "%.3f" if greatest < 1 else "%.2f" if greatest < DETAILED_BELOW else "%,.1f"


def _lists_as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Join lists to text, since CSV has no lists."""
    nested = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.List)]
    return rows.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in nested)
