"""
Files in typical delivery formats: CSV, JSON Lines and Parquet, uncompressed or as .gz or .zst.

The same rows give the same bytes. Tables are written in chunks, so that a large log is never in memory as text;
invalid rows are added to each chunk.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.demo.invalid_rows import add_invalid_lines, add_invalid_rows


def write_table(path: Path, table: str, chunks: Iterable[pl.DataFrame], rng: np.random.Generator) -> Counter[str]:
    """Write a table and its invalid rows in the format of the path's suffixes; return the invalid rows per fault."""
    if path.suffix == ".parquet":
        return _write_parquet(path, table, chunks, rng)
    return _write_lines(path, table, chunks, rng, is_csv=".csv" in path.suffixes)


def _write_lines(
    path: Path, table: str, chunks: Iterable[pl.DataFrame], rng: np.random.Generator, *, is_csv: bool
) -> Counter[str]:
    counts: Counter[str] = Counter()
    with _open(path) as out:
        for nth, frame in enumerate(chunks):
            if is_csv and nth == 0:
                out.write(",".join(frame.columns).encode() + b"\n")
            lines, invalid = add_invalid_lines(frame, table, _csv_lines if is_csv else _json_lines, rng, is_csv=is_csv)
            out.write(b"".join(lines))
            counts += invalid
    return counts


def _write_parquet(path: Path, table: str, chunks: Iterable[pl.DataFrame], rng: np.random.Generator) -> Counter[str]:
    counts: Counter[str] = Counter()
    writer: pq.ParquetWriter | None = None
    for frame in chunks:
        extended, invalid = add_invalid_rows(frame, table, rng)
        arrow = extended.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, arrow.schema, compression="zstd")
        writer.write_table(arrow)
        counts += invalid
    if writer:
        writer.close()
    return counts


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open for writing, compressed by suffix; no time or name is stored, so equal rows give equal bytes."""
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as out:
                yield out  # type: ignore[misc]
        elif path.suffix == ".zst":
            with pa.CompressedOutputStream(raw, "zstd") as out:
                yield out
        else:
            yield raw


def _csv_lines(frame: pl.DataFrame) -> list[bytes]:
    return frame.write_csv(include_header=False).encode().splitlines(keepends=True)


def _json_lines(frame: pl.DataFrame) -> list[bytes]:
    return frame.write_ndjson().encode().splitlines(keepends=True)
