"""Parquet files, read in chunks of rows; `_line` is the number of the row in the file, from 1."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import UnreadableSource
from recsys.ingest.source import LINE, Chunk, Source, table_of
from recsys.lake.contract import CONTRACTS

_ROWS_PER_CHUNK = 500_000


def recognises(source: Source) -> bool:
    """Return whether the file begins with the magic bytes of Parquet."""
    return source.sample.startswith(b"PAR1")


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the columns of the file's table as texts, in chunks of rows."""
    names = column_names(source)
    named_table = table_of([name.lower() for name in names], source.path, table)
    own_names = {name.lower(): name for name in names}
    columns = {name: own_names[name] for name in CONTRACTS[named_table].names if name in own_names}
    for rows in texts(source, columns):
        yield Chunk(named_table, rows, columns=[name.lower() for name in names])


def column_names(source: Source) -> list[str]:
    """List the file's column names, unchanged."""
    with _opened(source) as file:
        return list(file.schema_arrow.names)


def texts(source: Source, columns: Mapping[str, str]) -> Iterator[pl.DataFrame]:
    """
    Read columns as texts with `_line`, in chunks of rows.

    Args:
        source: The file.
        columns: Name in the result -> name in the file.

    Yields:
        At least one frame; for an empty file, a frame without rows.

    Raises:
        UnreadableSource: The file is damaged, or a column has a type without texts.
    """
    n_rows = 0
    with _opened(source) as file:
        for batch in file.iter_batches(_ROWS_PER_CHUNK, columns=list(columns.values())):
            rows = pl.DataFrame(pl.from_arrow(batch))
            read = pl.DataFrame([_texts_of(source, rows[own]).alias(name) for name, own in columns.items()])
            yield read.with_columns((pl.int_range(pl.len()) + n_rows + 1).alias(LINE))
            n_rows += rows.height
    if n_rows == 0:
        yield pl.DataFrame(schema={LINE: pl.Int64})


@contextmanager
def _opened(source: Source) -> Iterator[pq.ParquetFile]:
    """Open the file; a compressed file is decompressed in memory, since Parquet needs random access."""
    try:
        with source.open() as stream, pq.ParquetFile(stream if stream.seekable() else _whole(stream)) as file:
            yield file
    except pa.ArrowException:
        raise UnreadableSource(
            f"{source.path} is damaged Parquet. Nothing was ingested from it; get the file again"
        ) from None


def _whole(stream: BinaryIO) -> pa.BufferReader:
    return pa.BufferReader(stream.read())


def _texts_of(source: Source, values: pl.Series) -> pl.Series:
    """Return the values of a column as texts; raises UnreadableSource if they have none."""
    try:
        return _text(values, values.dtype)
    except pl.exceptions.PolarsError:
        raise UnreadableSource(
            f"{source.path}: the column {values.name} has the type {values.dtype}, or bytes that are not UTF-8. Write "
            "it as text, number, time or a list of these; nothing was ingested from the file"
        ) from None


def _text(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return values.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f" + ("%:z" if dtype.time_zone else ""))
    if isinstance(dtype, pl.Array):
        return _text(values.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List) and not dtype.inner.is_nested():
        return values.cast(pl.List(pl.String)).list.join("|")
    if dtype.is_nested():
        raise pl.exceptions.InvalidOperationError
    return values.cast(pl.String)
