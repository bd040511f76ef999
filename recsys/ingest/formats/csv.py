"""CSV with a header line, comma, semicolon or tab between fields (RFC 4180 quoting)."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.errors import UnreadableSource
from recsys.ingest.source import LINE, Chunk, Source, table_of

_BLOCK_BYTES = 16 * 1024 * 1024
_DELIMITERS = ",;\t"
_Refused = list[tuple[int, int]]  # (record, counted from 1 after the skipped lines; line breaks inside it)


def recognises(source: Source) -> bool:
    """Say whether the first line looks like a header of at least two columns."""
    first = source.sample.split(b"\n", 1)[0]
    return b"\x00" not in source.sample and any(delimiter.encode() in first for delimiter in _DELIMITERS)


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file block by block, with the line of every row."""
    header = source.sample.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
    if len(set(names)) < len(names):
        raise UnreadableSource(f"{source.path} names a column twice: {header}. Rename one of the two")
    found = table_of(names, source.path, table)
    with source.open() as stream:
        for rows, malformed in delimited(stream, names, delimiter, skip_rows=1):
            yield Chunk(found, rows, malformed)


def delimited(
    stream: BinaryIO, names: list[str], delimiter: str, *, skip_rows: int, quote: str | bool = '"'
) -> Iterator[tuple[pl.DataFrame, list[int]]]:
    """
    Read delimited text block by block.

    Args:
        stream: The bytes, decompressed.
        names: Column names.
        delimiter: What separates fields.
        skip_rows: Lines to pass over at the start.
        quote: The quoting character, or False where quotes are ordinary text.

    Yields:
        Rows as texts with `_line`, and the lines of the records with too many or too few fields or broken UTF-8.
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
    for batch in _blocks(stream, names, parse, skip_rows):
        block = pl.DataFrame(pl.from_arrow(batch))
        here = _refused_here(refused, n_records, block.height)
        rows = block.cast(pl.String, strict=False)
        lines, line = _lines(rows, here, line)
        n_records += rows.height + len(here)
        is_good = np.ones(lines.size, dtype=bool)
        is_good[[at for at, _ in here]] = False
        yield _split(block, rows, lines[is_good], lines[~is_good])


def _refused_here(refused: _Refused, n_records: int, n_good: int) -> _Refused:
    """Take the records refused in a block out of `refused` (the reader runs ahead), as places in the block."""
    n_here = 0
    while n_here < len(refused) and refused[n_here][0] - n_records - 1 <= n_good + n_here:
        n_here += 1
    here = [(record - n_records - 1, breaks) for record, breaks in refused[:n_here]]
    del refused[:n_here]
    return here


def _blocks(
    stream: BinaryIO, names: list[str], parse: pa_csv.ParseOptions, skip_rows: int
) -> Iterator[pa.RecordBatch]:
    read = pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows=skip_rows)
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.binary()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[""],
    )
    try:
        yield from pa_csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert)
        yield pa.RecordBatch.from_pylist([], pa.schema([(name, pa.binary()) for name in names]))  # refused at the end
    except pa.ArrowInvalid as broken:
        if "Empty CSV file" not in str(broken):
            raise UnreadableSource(f"This text cannot be split into fields: {broken}. Check its quotes") from broken


def _lines(rows: pl.DataFrame, refused: _Refused, first: int) -> tuple[np.ndarray, int]:
    """Return the source line of every record of a block, refused ones included, and the line after the block."""
    n_breaks = np.zeros(rows.height + len(refused), dtype=np.int64)
    is_good = np.ones(n_breaks.size, dtype=bool)
    for at, breaks in refused:
        is_good[at], n_breaks[at] = False, breaks
    counts = [pl.col(name).str.count_matches("\n", literal=True).fill_null(0) for name in rows.columns]
    n_breaks[is_good] = rows.select(pl.sum_horizontal(counts)).to_series().to_numpy()
    lines = first + np.arange(n_breaks.size) + n_breaks.cumsum() - n_breaks
    return lines, first + n_breaks.size + int(n_breaks.sum())


def _split(
    block: pl.DataFrame, rows: pl.DataFrame, lines: np.ndarray, refused_lines: np.ndarray
) -> tuple[pl.DataFrame, list[int]]:
    """Set aside rows that are not UTF-8 and drop blank lines."""
    numbered = rows.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))
    n_bytes_fields = block.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
    n_text_fields = rows.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
    is_text = n_text_fields == n_bytes_fields
    malformed = sorted([*refused_lines.tolist(), *numbered.filter(~is_text)[LINE].to_list()])
    return numbered.filter(is_text & (n_text_fields > 0)), malformed
