"""
Tables in the terminal, values formatted for reading, and the rows of a query in the requested format.

Titles, names and paths are printed unchanged: brackets and colons in them are not read as markup.
"""

import os
import sys
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from recsys.errors import InputError
from recsys.reports.wording import without_controls
from recsys.warehouse.spreadsheet import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable

GAP = 2  # characters between two columns
FORMS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}  # by ending
LONGEST_WORD = 40  # characters; a longer word (an address, a hash) may be broken
LONGEST_WORD_OF_TEXT = 12  # the same in texts of several words, where the table would not fit otherwise


class Screen(Console):
    """A console on which names, paths and messages cannot control the terminal."""

    @override
    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts without control characters; other objects are printed as they are."""
        super().print(*(without_controls(it) if isinstance(it, str) else it for it in objects), **options)

    @override
    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the command line, which ends the command without a message."""
        raise BrokenPipeError


out = Screen(highlight=False, markup=False, emoji=False)
note = Screen(stderr=True, highlight=False, markup=False, emoji=False)


def frame(rows: pl.DataFrame, *, is_wide: bool = False) -> None:
    """
    Print a frame as a table: numbers right-aligned, missing values as a dash.

    Long texts wrap between words, and within long words where the table would not fit otherwise. Ids, numbers and
    headings are never broken: if they do not fit side by side, each row is a block of lines, one per column.

    Args:
        rows: The table.
        is_wide: Whether to make each column as wide as its longest text, regardless of the screen.
    """
    _print(rows, _columns(rows), is_wide=is_wide)


def _print(rows: pl.DataFrame, columns: list[list[str]], *, is_wide: bool) -> None:
    widths = [_longest_line(texts) for texts in columns] if is_wide else _widths(columns, out.width)
    if not is_wide and _total(widths) > out.width and rows.height:
        _print_blocks(columns)
        return
    table = Table(header_style="bold", box=None, pad_edge=False, width=_total(widths))
    for (name, dtype), width in zip(rows.schema.items(), widths, strict=True):
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold", width=width)
    for row in zip(*(texts[1:] for texts in columns), strict=True):
        table.add_row(*row)
    out.print(table, width=max(out.width, _total(widths) + GAP), crop=False)


def _print_blocks(columns: list[list[str]]) -> None:
    """Print each row as a block of lines, a heading and a value each; blank lines between the blocks."""
    headings = [texts[0] for texts in columns]
    for number, row in enumerate(zip(*(texts[1:] for texts in columns), strict=True)):
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True, width=_longest_line(headings))
        table.add_column(overflow="fold")
        for heading, value in zip(headings, row, strict=True):
            table.add_row(heading, value)
        out.print(*([""] if number else []), table, sep="\n")


def _total(widths: list[int]) -> int:
    """Return the width of a table with columns of these widths."""
    return sum(widths) + GAP * (len(widths) - 1)


def _columns(rows: pl.DataFrame) -> list[list[str]]:
    """Return the texts of each column, starting with its heading."""
    return [[column.name, *map(cell, column.to_list())] for column in rows]


def _longest_line(texts: list[str]) -> int:
    return max(cell_len(line) for text in texts for line in text.splitlines() or [""])


def _longest_word(texts: list[str]) -> int:
    return min(LONGEST_WORD, max(cell_len(word) for text in texts for word in text.split() or [""]))


def _is_text(texts: list[str]) -> bool:
    """Return whether a column has texts of several words, not ids (some are made of names) and numbers."""
    return not texts[0].endswith("_id") and any(" " in text for text in texts[1:])


def _least_widths(columns: list[list[str]], available: int) -> list[int]:
    """Return the least width of each column: its longest word; less in texts if the table would not fit otherwise."""
    least = [_longest_word(texts) for texts in columns]
    if _total(least) <= available:
        return least
    return [
        max(_longest_word(texts[:1]), min(width, LONGEST_WORD_OF_TEXT)) if _is_text(texts) else width
        for texts, width in zip(columns, least, strict=True)
    ]


def _widths(columns: list[list[str]], available: int) -> list[int]:
    """Return the width of each column in characters: the widest shrink to fit, but not below their least width."""
    widths = [min(available, _longest_line(texts)) for texts in columns]
    least = _least_widths(columns, available)
    for _ in range(max(0, _total(widths) - available)):
        spare = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
        if any(spare):
            widths[spare.index(max(spare))] -= 1
    return widths


def _n_fitting(columns: list[list[str]]) -> int:
    """Return how many of the first columns fit on the screen, at least one."""
    ends = accumulate(_longest_word(texts) + GAP for texts in columns)
    return max(1, sum(end - GAP <= out.width for end in ends))


def cell(value: object) -> str:
    """Format a value for reading: '-' if missing, 'yes' or 'no', fractions with four significant digits."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(Decimal(f"{value:.4g}"))
        case int() | Decimal():
            return _number(Decimal(value))
        case list():
            return without_controls(", ".join(map(str, value)))
        case _:
            return without_controls(str(value))


def _number(value: Decimal) -> str:
    """Return a number without exponent, and from 10,000 on with thousands separators (so years have none)."""
    return f"{value:,f}" if value.adjusted() >= 4 else f"{value:f}"


def answer(rows: pl.DataFrame, form: str, path: Path | None) -> None:
    """
    Print the rows of a query as a table, or write them as CSV, JSON Lines or Parquet to a file or standard output.

    A table shows the columns that fit on the screen and names the others; a wide table shows all. In CSV, lists and
    structs are JSON text, and no text is a formula of a spreadsheet.

    Args:
        rows: The rows.
        form: table, wide, csv, json or parquet.
        path: The file to write; None for standard output.

    Raises:
        InputError: The format cannot hold a column; or the file has no format, or no folder.
    """
    if path is not None:
        form = _form_of(path, form)
    if form in {"table", "wide"}:
        columns, is_wide = _columns(rows), form == "wide"
        n_shown = rows.width if is_wide else _n_fitting(columns)
        _print(rows[:, :n_shown], columns[:n_shown], is_wide=is_wide)
        if hidden := rows.columns[n_shown:]:
            note.print(f"{len(hidden)} more columns, shown by --wide: {', '.join(hidden)}", style="dim")
        note.print(f"{rows.height:,} rows", style="dim")
        return
    writers: dict[str, Callable[[Any], object]] = {
        "csv": lambda to: _write_csv(rows, to),
        "json": rows.write_ndjson,
        "parquet": rows.write_parquet,
    }
    try:
        writers[form](path or sys.stdout.buffer)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"The rows cannot be written as {form}: {reason}. Cast the column to text") from error


def notes(*texts: str) -> None:
    """Print notes on a table, one per line, beside the output."""
    for text in texts:
        note.print(text, style="dim")


def _form_of(path: Path, form: str) -> str:
    """Return the format of a file, by its ending if none is given; raises InputError if it has none, or no folder."""
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--out is {path}; expected a file in a folder that exists")
    if form not in {"table", "wide"}:
        return form
    if (ending := path.suffix.lower()) not in FORMS:
        raise InputError(f"--out is {path}, without a format. Add --csv, --json or --parquet, or end the name with one")
    return FORMS[ending]


def _write_csv(rows: pl.DataFrame, to: "Path | BinaryIO") -> None:
    text = csv_text(_flat(rows)).encode()
    if isinstance(to, Path):
        to.write_bytes(text)
    else:
        to.write(text)


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(_json_text(name) for name, dtype in rows.schema.items() if dtype.is_nested())


def _json_text(name: str) -> pl.Expr:
    text = pl.struct(v=name).struct.json_encode().str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(pl.col(name).is_not_null()).then(text).alias(name)


def relative(path: Path) -> str:
    """Return a path relative to the current folder, if it is inside it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def description(described: pl.DataFrame) -> None:
    """Print a table's description, grain and number of rows, the tables that it reads, and those that read it."""
    row = described.row(0, named=True)
    out.print(Text.assemble((row["name"], "bold"), f"  {row['description']}\n"))
    facts = {"grain": row["grain"] or "none", "rows": row["n_rows"], "reads": row["reads"], "read by": row["read_by"]}
    for name, value in facts.items():
        out.print(f"{name:<8} {cell(value) if value is not None else 'nothing'}")
    out.print()
