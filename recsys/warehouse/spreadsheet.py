"""
CSV for spreadsheets: a title or name is never run as a formula.

Excel, LibreOffice and Google Sheets run a cell that begins with `=`, `+`, `-` or `@`, also after a tab or a line break.
A text that begins so gets an apostrophe in front, which spreadsheets read as "this is text". Numbers stay numbers.
Parquet and JSON hold the exact texts.
"""

import polars as pl

_FORMULA = r"^[=+\-@\t\r\n]"


def csv_text(rows: pl.DataFrame) -> str:
    r"""
    Return rows as CSV in which no text is a formula, column names included; lists and structs must be text already.

    >>> csv_text(pl.DataFrame({"title": ["=1+1", "Love"], "change": [-1, 2]}))
    "title,change\n'=1+1,-1\nLove,2\n"
    """
    as_text = rows.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    guarded = as_text.with_columns(pl.col(pl.String).str.replace(f"({_FORMULA})", "'$1"))
    names = pl.Series("name", rows.columns, dtype=pl.String).str.replace(f"({_FORMULA})", "'$1")
    return guarded.rename(dict(zip(rows.columns, names, strict=True))).write_csv()
