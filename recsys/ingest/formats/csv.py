"""CSV with a header line; comma, semicolon or tab between fields, quoted as in RFC 4180."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from recsys.arrays import I64
from recsys.errors import UnreadableSource
from recsys.ingest.source import LINE, Chunk, Source, table_of

_BLOCK_BYTES = 16 * 1024 * 1024
_DELIMITERS = ",;\t"
_Refused: TypeAlias = list[tuple[int, int]]  # (number of the record after the skipped lines, from 1; line breaks in it)
_Lines: TypeAlias = I64


def recognises(source: Source) -> bool:
    """Return whether the first line may be a header with at least two columns."""
    first = source.sample.split(b"\n", 1)[0]
    return b"\x00" not in source.sample and any(delimiter.encode() in first for delimiter in _DELIMITERS)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file in blocks; the column `_line` has each row's line number."""
    names, delimiter = header_of(source)
    named_table = table_of(names, source.path, table)
    for rows, malformed in delimited(source, names, delimiter, skip_rows=1):
        yield Chunk(named_table, rows, malformed)


def header_of(source: Source) -> tuple[list[str], str]:
    """Return the column names of the first line, in lower case, and the delimiter."""
    header = source.sample.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
    delimiter = max(_DELIMITERS, key=header.count)
    return [name.strip().strip('"').lower() for name in header.split(delimiter)], delimiter


def delimited(
    source: Source, names: list[str], delimiter: str, *, skip_rows: int, quote: str | bool = '"'
) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """
    Read delimited text in blocks.

    Args:
        source: The file.
        names: Column names.
        delimiter: Character between fields.
        skip_rows: Number of lines to skip at the start.
        quote: Quote character, or False if quotes are ordinary text.

    Yields:
        Rows as texts with `_line`, and the line numbers of records with too many or too few fields or invalid UTF-8.

    Raises:
        UnreadableSource: The text cannot be split into records.
    """
    refused: _Refused = []

    def refuse(row: pa_csv.InvalidRow) -> str:
        refused.append((row.number - skip_rows, row.text.count("\n")))
        return "skip"

    parse = pa_csv.ParseOptions(
        delimiter=delimiter,
        quote_char=quote,
        newlines_in_values=quote is not False,
        ignore_empty_lines=False,
        invalid_row_handler=refuse,
    )
    n_records, line = 0, skip_rows + 1
    for block in _blocks(source, names, parse, skip_rows):
        here = _refused_here(refused, n_records, block.num_rows)
        lines, line = _lines(block, here, line)
        n_records += block.num_rows + len(here)
        is_good = np.ones(lines.size, dtype=bool)
        is_good[[n for n, _ in here]] = False
        yield _split(block, lines[is_good], lines[~is_good])


def _refused_here(refused: _Refused, n_records: int, n_good: int) -> _Refused:
    """Remove a block's refused records from `refused` (it may have later ones); return them with index in the block."""
    n_here = 0
    while n_here < len(refused) and refused[n_here][0] - n_records - 1 <= n_good + n_here:
        n_here += 1
    here = [(record - n_records - 1, breaks) for record, breaks in refused[:n_here]]
    del refused[:n_here]
    return here


class _WholeBreaks:
    """A stream whose reads never end between CR and LF: pyarrow drops an LF that begins a block, even in quotes."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._held = stream, b""

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        read = self._stream.read(size - len(self._held))
        data, self._held = self._held + read, b""
        if read and len(data) > 1 and data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        return data


def _blocks(source: Source, names: list[str], parse: pa_csv.ParseOptions, skip_rows: int) -> Iterator[pa.RecordBatch]:
    """Read blocks with columns of bytes; the last one is empty, for records refused after the last valid one."""
    read = pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows=skip_rows)
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.binary()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[""],
    )
    try:
        with source.open() as stream, _silent_about_bytes():
            whole = pa.PythonFile(_WholeBreaks(stream), mode="r")
            yield from pa_csv.open_csv(whole, read_options=read, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as broken:
        if "Empty CSV file" not in str(broken):
            raise UnreadableSource(
                f"{source.path} cannot be split into fields. Check its quotes; nothing was ingested from it"
            ) from None
    yield pa.RecordBatch.from_pylist([], pa.schema([(name, pa.binary()) for name in names]))


@contextmanager
def _silent_about_bytes() -> Iterator[None]:
    """Prevent pyarrow from printing the bytes of a refused record that it cannot decode."""
    original = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, UnicodeDecodeError):
            original(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = original


def _lines(block: pa.RecordBatch, refused: _Refused, first: int) -> tuple[_Lines, int]:
    """Return the line number of each record of a block, including refused records, and the line after the block."""
    n_breaks = np.zeros(block.num_rows + len(refused), dtype=np.int64)
    is_good = np.ones(n_breaks.size, dtype=bool)
    for n, breaks in refused:
        is_good[n], n_breaks[n] = False, breaks
    for column in block.columns:
        n_breaks[is_good] += pc.count_substring(column, "\n").fill_null(0).to_numpy(zero_copy_only=False)
    lines = first + np.arange(n_breaks.size) + n_breaks.cumsum() - n_breaks
    return lines, first + n_breaks.size + int(n_breaks.sum())


def _split(block: pa.RecordBatch, lines: _Lines, refused_lines: _Lines) -> tuple[pl.DataFrame, list[int]]:
    """Drop blank lines, and separate the line numbers of rows that are not UTF-8."""
    texts = {name: _decoded(column) for name, column in zip(block.schema.names, block.columns, strict=True)}
    rows = pl.DataFrame(texts)
    numbered = rows.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))
    n_fields = rows.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
    n_given = np.sum([column.is_valid().to_numpy(zero_copy_only=False) for column in block.columns], axis=0)
    is_text = n_fields == pl.Series(n_given)
    malformed = sorted([*refused_lines.tolist(), *numbered.filter(~is_text)[LINE].to_list()])
    return numbered.filter(is_text & (n_fields > 0)), malformed


def _decoded(column: pa.Array) -> pl.Series:
    """Decode a column of bytes as UTF-8; invalid values become null."""
    try:
        return pl.Series(pl.from_arrow(column.cast(pa.string())), dtype=pl.String)
    except pa.ArrowInvalid:
        return pl.Series([_text_or_none(value) for value in column.to_pylist()], dtype=pl.String)


def _text_or_none(value: bytes | None) -> str | None:
    try:
        return value if value is None else value.decode()
    except UnicodeDecodeError:
        return None
