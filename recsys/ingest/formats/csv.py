"""
CSV with a header line; comma, semicolon, tab or bar between fields, quoted as in RFC 4180.

Before the header may stand blank lines, comments (`#`) and the line `sep=;` of a spreadsheet. Columns without a name,
such as the empty ones at the end of a sheet, are ignored. A decimal comma is read where the delimiter is a semicolon,
or where it is stated.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from recsys.arrays import I64
from recsys.errors import UnknownContent, UnreadableSource
from recsys.ingest.encoding import UNREADABLE, open_text, text_sample
from recsys.ingest.source import LINE, SAMPLE_BYTES, Chunk, Source, table_of
from recsys.lake.contract import CONTRACTS
from recsys.lake.field import Kind

_BLOCK_BYTES = 16 * 1024 * 1024
_LINE_BREAK, _FIRST_UNREADABLE = ord("\n"), UNREADABLE.encode()[0]
_DELIMITERS = ",;\t|"
_STATED = re.compile(r'^"?sep=(.)"?\s*$')
_LAST = f"{UNREADABLE}end".encode()  # begins the record that is added to each file (see `_WholeBreaks`)
_DECIMAL_COMMA = r"^[+-]?\d*(?:,\d+)?(?:\|[+-]?\d*(?:,\d+)?)*$"


@dataclass(frozen=True)
class _Refused:
    """
    A record with too many or too few fields.

    Attributes:
        number: Number of the record after the skipped lines, from 1.
        n_breaks: Line breaks in it.
        fields: Its fields, if only empty ones at its end are too many or missing; otherwise None.
    """

    number: int
    n_breaks: int
    fields: list[str] | None


_Lines: TypeAlias = I64


@dataclass(frozen=True)
class Header:
    """
    The header of a file.

    Attributes:
        columns: Name of each column, in lower case; a column without a name is called `_` and its position.
        delimiter: Character between fields.
        n_lines: Lines up to the end of the header.
    """

    columns: list[str]
    delimiter: str
    n_lines: int

    @property
    def names(self) -> list[str]:
        """The names of the columns that have one."""
        return [name for n, name in enumerate(self.columns, 1) if name != _unnamed(n)]

    @property
    def n_needed(self) -> int:
        """Number of columns up to the last one with a name; rows may end there."""
        return max((n for n, name in enumerate(self.columns, 1) if name != _unnamed(n)), default=0)


def recognises(source: Source) -> bool:
    """Return whether the file may begin with a header of at least two columns."""
    header = header_of(source)
    return len(header.columns) > 1 and not any(UNREADABLE in name for name in header.columns)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file in blocks; the column `_line` has each row's line number."""
    header = header_of(source)
    _refuse_long_header(source, header)
    named_table = table_of(header.names, source.path, table)
    has_decimal_comma = source.dialect.has_decimal_comma or header.delimiter == ";"
    blocks = delimited(source, header.columns, header.delimiter, skip_rows=header.n_lines, n_needed=header.n_needed)
    for rows, malformed in blocks:
        points = _with_points(rows, named_table) if has_decimal_comma else rows
        yield Chunk(named_table, points, malformed, header.names)


def _refuse_long_header(source: Source, header: Header) -> None:
    """Raise UnknownContent if the header does not end within the sample."""
    sample = text_sample(source)
    if len(sample) >= SAMPLE_BYTES // 2 and header.n_lines >= len(_lines_of(sample)):
        raise UnknownContent(
            f"{source.path} has a first line of more than {len(sample) // 1024:,} KiB, which cannot be a header. Put a "
            "line with the names of the columns above its rows, or leave out columns"
        )


def header_of(source: Source) -> Header:
    """Return the header of a file: its first line that is not blank, a comment or `sep=`."""
    lines = _lines_of(text_sample(source))
    stated, n_skipped = "", 0
    for line in lines:
        sep = _STATED.match(line)
        if not (sep or not line.strip() or _is_comment(line)):
            break
        stated, n_skipped = sep[1] if sep else stated, n_skipped + 1
    first = lines[n_skipped] if n_skipped < len(lines) else ""
    delimiter = stated or max(_DELIMITERS, key=re.sub('"[^"]*"', "", first).count)
    fields, n_lines = _first_record(lines[n_skipped:], delimiter)
    names = [name.strip().strip('"').strip().lstrip("#").lower() for name in fields]
    return Header([name or _unnamed(n) for n, name in enumerate(names, 1)], delimiter, n_skipped + n_lines)


def _unnamed(position: int) -> str:
    return f"_{position}"


def _is_comment(line: str) -> bool:
    """Return whether a line begins with `#` and is not a header: none of its fields is the name of a column."""
    known = {name for contract in CONTRACTS.values() for name in contract.names}
    return line.startswith("#") and not known & {
        name.strip(' #"') for name in re.split("[,;|\t]", line.strip().lower())
    }


def _first_record(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    """Split the first record into fields, and count its lines; a quote that is not closed belongs to the text."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        fields = next(reader, [])
    except csv.Error:
        return lines[0].split(delimiter), 1
    is_closed = reader.line_num < len(lines) or reader.line_num <= 1
    return (fields, max(reader.line_num, 1)) if is_closed else (lines[0].split(delimiter), 1)


def _with_points(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Replace the decimal comma in columns of numbers by a point."""
    numbers = {field.name for field in CONTRACTS[table].fields if field.kind in (Kind.REAL, Kind.REALS, Kind.INTEGER)}
    columns = [pl.col(name) for name in rows.columns if name in numbers]
    is_number = [column.str.contains(_DECIMAL_COMMA) for column in columns]
    points = [column.str.replace_all(",", ".", literal=True) for column in columns]
    return rows.with_columns(
        pl.when(is_comma).then(point).otherwise(column)
        for is_comma, point, column in zip(is_number, points, columns, strict=True)
    )


def delimited(
    source: Source,
    names: list[str],
    delimiter: str,
    *,
    skip_rows: int,
    quote: str | bool = '"',
    n_needed: int | None = None,
) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """
    Read delimited text in blocks.

    Args:
        source: The file.
        names: Column names.
        delimiter: Character between fields.
        skip_rows: Number of lines to skip at the start.
        quote: Quote character, or False if quotes are ordinary text.
        n_needed: Number of fields that a record must have; None for all. Fewer than all are completed by empty ones.

    Yields:
        Rows as texts with `_line`, and the line numbers of records with too many or too few fields or with bytes that
        are not text. Empty fields beyond the last column are not too many.

    Raises:
        UnreadableSource: The text cannot be split into records.
    """
    refused: list[_Refused] = []

    def refuse(row: pa_csv.InvalidRow) -> str:
        is_mended = row.actual_columns >= (n_needed or len(names))
        fields = _of_length(len(names), row.text, delimiter) if is_mended else None
        refused.append(_Refused(row.number, row.text.count("\n"), fields))
        return "skip"

    parse = pa_csv.ParseOptions(
        delimiter=delimiter,
        quote_char=quote,
        newlines_in_values=quote is not False,
        ignore_empty_lines=False,
        invalid_row_handler=refuse,
    )
    n_records, line, last_line, is_whole = 0, skip_rows + 1, skip_rows + 1, False
    for read in _blocks(source, names, parse, skip_rows):
        is_last = read.num_rows > 0 and read.column(0)[-1].as_py() == _LAST.decode()
        block, is_whole = read.slice(0, read.num_rows - is_last), is_whole or is_last
        here = _refused_here(refused, n_records, block.num_rows)
        lines, line = _lines(block, here, line)
        n_records += block.num_rows + len(here)
        is_good = np.ones(lines.size, dtype=bool)
        is_good[[record.number for record in here]] = False
        last_line = int(lines[-1]) if lines.size else last_line
        mended = {int(lines[record.number]): record.fields for record in here if record.fields is not None}
        yield _split(block, lines[is_good], lines[~is_good], mended)
    if not is_whole:
        raise UnreadableSource(
            f"{source.path}: a quote in the record that begins in line {last_line:,} is never closed. Correct it; "
            "nothing was ingested from the file"
        )


def _of_length(n_columns: int, text: str, delimiter: str) -> list[str] | None:
    """Split a record, and complete it by empty fields; None unless all beyond the last column are empty."""
    fields = next(csv.reader([text], delimiter=delimiter), [])
    return [*fields, *[""] * (n_columns - len(fields))][:n_columns] if not any(fields[n_columns:]) else None


def _refused_here(refused: list[_Refused], n_records: int, n_good: int) -> list[_Refused]:
    """Remove a block's refused records from `refused` (it may have later ones); return them with index in the block."""
    n_here = 0
    while n_here < len(refused) and refused[n_here].number - n_records - 1 <= n_good + n_here:
        n_here += 1
    here = [replace(record, number=record.number - n_records - 1) for record in refused[:n_here]]
    del refused[:n_here]
    return here


class _WholeBreaks:
    """
    A stream whose reads never end between CR and LF: pyarrow drops an LF that begins a block, even in quotes.

    It ends with a record of its own, `last`: if the last record read is another, a quote was never closed.
    """

    closed = False

    def __init__(self, stream: io.BufferedReader, last: bytes) -> None:
        self._stream, self._held, self._last = stream, b"", last

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes, and a little less where that keeps a line end together."""
        data = self._held + self._stream.read(size - len(self._held) - len(self._last) - 2)
        self._held = b""
        if not self._stream.peek(1):
            line_end = b"" if not data or data.endswith((b"\r", b"\n")) else b"\n"
            data, self._last = data + line_end + self._last, b""
        elif data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        return data


def _blocks(source: Source, names: list[str], parse: pa_csv.ParseOptions, skip_rows: int) -> Iterator[pa.RecordBatch]:
    """Read blocks with columns of texts; the last one is empty, for records refused after the last valid one."""
    read = pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names)
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=["", "\\N"],  # `\\N`: as databases write a missing value
    )
    try:
        with open_text(source) as stream:
            stream.read(_n_bytes(source, skip_rows))  # pyarrow could skip lines only within its first block
            whole = pa.PythonFile(
                _WholeBreaks(stream, _LAST + parse.delimiter.encode() * (len(names) - 1) + b"\n"), mode="r"
            )
            yield from pa_csv.open_csv(whole, read_options=read, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as broken:
        if "Empty CSV file" not in str(broken):
            raise UnreadableSource(
                f"{source.path} cannot be split into fields. Check its quotes; nothing was ingested from it"
            ) from None
    yield pa.RecordBatch.from_arrays([pa.nulls(0, pa.string())] * len(names), names)


def _n_bytes(source: Source, n_lines: int) -> int:
    """Return the size of the first lines of a source as UTF-8 [bytes]."""
    return sum(len(line.encode()) for line in _lines_of(text_sample(source))[:n_lines])


def _lines_of(sample: bytes) -> list[str]:
    """Split text at CR, LF and CRLF, and keep these."""
    return io.StringIO(sample.decode(), newline="").readlines()


def _lines(block: pa.RecordBatch, refused: list[_Refused], first: int) -> tuple[_Lines, int]:
    """Return the line number of each record of a block, including refused records, and the line after the block."""
    n_breaks = np.zeros(block.num_rows + len(refused), dtype=np.int64)
    is_good = np.ones(n_breaks.size, dtype=bool)
    for record in refused:
        is_good[record.number], n_breaks[record.number] = False, record.n_breaks
    for column in block.columns if _may_have(block, _LINE_BREAK) else ():
        n_breaks[is_good] += np.nan_to_num(pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)).astype(int)
    lines = first + np.arange(n_breaks.size) + n_breaks.cumsum() - n_breaks
    return lines, first + n_breaks.size + int(n_breaks.sum())


def _may_have(block: pa.RecordBatch, byte: int) -> bool:
    """Return whether the texts of a block may have a byte; if not, no row of it needs to be searched."""
    contents = [column.buffers()[2] for column in block.columns]
    return any(content and (np.frombuffer(content, dtype=np.uint8) == byte).any() for content in contents)


def _split(
    block: pa.RecordBatch, lines: _Lines, refused_lines: _Lines, mended: dict[int, list[str]]
) -> tuple[pl.DataFrame, list[int]]:
    """Drop blank lines, add the mended records, and separate the line numbers of rows with bytes that are not text."""
    good = pl.DataFrame(pl.from_arrow(block)).with_columns(pl.Series(LINE, lines, dtype=pl.Int64))
    fields = [[*(text or None for text in row), line] for line, row in mended.items()]
    more = pl.DataFrame(fields, schema=good.schema, orient="row")
    rows = pl.concat([good, more]).sort(LINE) if fields else good
    broken = [line for line in refused_lines.tolist() if line not in mended]
    if fields or all(column.null_count for column in block.columns):
        rows = rows.filter(pl.any_horizontal(pl.all().exclude(LINE).is_not_null()))
    if not fields and not _may_have(block, _FIRST_UNREADABLE):
        return rows, broken
    unreadable = pl.any_horizontal(pl.all().exclude(LINE).str.contains(UNREADABLE, literal=True))
    is_text = ~unreadable.fill_null(value=False)
    return rows.filter(is_text), sorted([*broken, *rows.filter(~is_text)[LINE]])
