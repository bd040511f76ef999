"""Parquet, one row group's worth at a time; a row's line is its number, counted from 1."""

from collections.abc import Iterator

import polars as pl
import pyarrow.parquet as pq

from recsys.ingest.source import LINE, Chunk, Source, table_of

_ROWS_A_CHUNK = 500_000


def recognises(source: Source) -> bool:
    """Say whether the file begins as Parquet files do."""
    return source.sample.startswith(b"PAR1")


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the file some rows at a time, every column as text."""
    file = pq.ParquetFile(source.path)
    found = table_of([name.lower() for name in file.schema_arrow.names], source.path, table)
    n_rows = 0
    for batch in file.iter_batches(_ROWS_A_CHUNK):
        rows = pl.DataFrame(pl.from_arrow(batch)).rename(str.lower)
        texts = rows.select(_text(name, dtype) for name, dtype in rows.schema.items())
        yield Chunk(found, texts.with_columns((pl.int_range(pl.len()) + n_rows + 1).alias(LINE)))
        n_rows += rows.height


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.6f" + ("%:z" if dtype.time_zone else ""))
    if isinstance(dtype, pl.List):
        return pl.col(name).cast(pl.List(pl.String)).list.join("|")
    return pl.col(name).cast(pl.String)
