"""Parquet, one row group's worth at a time; a row's line is its number, counted from 1."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import UnreadableSource
from recsys.ingest.source import LINE, Chunk, Source, table_of
from recsys.lake.contract import CONTRACTS

_ROWS_A_CHUNK = 500_000


def recognises(source: Source) -> bool:
    """Say whether the file begins as Parquet files do."""
    return source.sample.startswith(b"PAR1")


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file some rows at a time: the columns of its table, as text."""
    names = column_names(source)
    found = table_of([name.lower() for name in names], source.path, table)
    given = {name.lower(): name for name in names}
    wanted = {name: given[name] for name in CONTRACTS[found].names if name in given}
    for rows in texts(source, wanted):
        yield Chunk(found, rows)


def column_names(source: Source) -> list[str]:
    """List the file's columns, as it writes them."""
    with _opened(source) as file:
        return list(file.schema_arrow.names)


def texts(source: Source, wanted: Mapping[str, str]) -> Iterator[pl.DataFrame]:
    """Read columns as texts, some rows at a time, with `_line`; `wanted`: the name to give -> the file's own."""
    n_rows = 0
    with _opened(source) as file:
        for batch in file.iter_batches(_ROWS_A_CHUNK, columns=list(wanted.values())):
            rows = pl.DataFrame(pl.from_arrow(batch))
            read = rows.select(_text(given, rows.schema[given]).alias(name) for name, given in wanted.items())
            yield read.with_columns((pl.int_range(pl.len()) + n_rows + 1).alias(LINE))
            n_rows += rows.height
    if n_rows == 0:
        yield pl.DataFrame(schema={LINE: pl.Int64})


@contextmanager
def _opened(source: Source) -> Iterator[pq.ParquetFile]:
    """Open the file where it lies, or unpacked in memory: Parquet is read from its end."""
    with source.open() as stream:
        is_packed = stream.read(4) != source.path.open("rb").read(4)
    try:
        with source.open() as stream:
            whole = pa.BufferReader(stream.read()) if is_packed else source.path
        with pq.ParquetFile(whole) as file:
            yield file
    except pa.ArrowException:
        raise UnreadableSource(
            f"{source.path} is broken Parquet. Nothing of it was taken in; get the file again"
        ) from None


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.6f" + ("%:z" if dtype.time_zone else ""))
    if isinstance(dtype, pl.List):
        return pl.col(name).cast(pl.List(pl.String)).list.join("|")
    return pl.col(name).cast(pl.String)
