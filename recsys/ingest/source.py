"""
A source file: its identity, its bytes (gzip and zstd undone), and what a format makes of it.

A format is a module in `recsys/ingest/formats/` with two functions: `recognises(sample)` and `chunks(source, table)`.
"""

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import BinaryIO, cast

import polars as pl
import zstandard

from recsys.errors import UnreadableSource, did_you_mean
from recsys.files import sha256_of
from recsys.ingest.contract import CONTRACTS

_SAMPLE_BYTES = 64 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LINE = "_line"


@dataclass(frozen=True)
class Chunk:
    """
    A piece of a source, as texts.

    Attributes:
        table: Which raw table its rows belong to.
        rows: String columns (null = missing) and `_line`, the source line each row begins on (1 = the first).
        malformed: `_line` of the records that could not be read at all.
        is_hint: Whether the rows of a register only fill gaps: a key that is known already keeps its row.
    """

    table: str
    rows: pl.DataFrame
    malformed: list[int] = field(default_factory=list)
    is_hint: bool = False


@dataclass(frozen=True)
class Source:
    """A file to be ingested."""

    path: Path

    @cached_property
    def sha256(self) -> str:
        """What the file is, whatever it is called."""
        return sha256_of(self.path)

    @cached_property
    def sample(self) -> bytes:
        """The first bytes, decompressed."""
        with self.open() as stream:
            return stream.read(_SAMPLE_BYTES)

    @cached_property
    def n_bytes(self) -> int:
        """Size on disk."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open the bytes; gzip and zstd are recognised by their first bytes, not by the file's name."""
        stream = self.path.open("rb")
        magic = stream.peek(4)[:4]
        if magic.startswith(_GZIP):
            return cast("BinaryIO", gzip.open(stream))
        if magic == _ZSTD:
            reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True, closefd=True)
            return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", reader), _SAMPLE_BYTES))
        return stream

    def chunks(self, format_name: str = "auto", table: str | None = None) -> Iterator[Chunk]:
        """Read the file piece by piece; `table` overrides what the columns say."""
        reader = _format(self, format_name)
        try:
            yield from reader.chunks(self, table)
        except (OSError, EOFError, zstandard.ZstdError, pl.exceptions.ComputeError) as broken:
            raise UnreadableSource(
                f"{self.path} cannot be read to its end as {reader.__name__.rpartition('.')[2]}: {broken}. "
                "Nothing of it was taken in; get the file again, or take it out of the folder"
            ) from broken


def format_names() -> list[str]:
    """List the formats, in the order in which they are tried."""
    formats = import_module("recsys.ingest.formats")
    return sorted((name for _, name, _ in iter_modules(formats.__path__)), key=lambda name: (name == "csv", name))


def table_of(columns: list[str], path: Path, table: str | None) -> str:
    """Return the table that these columns belong to: the one whose required columns are all there."""
    if table is not None:
        return table
    found = [
        name
        for name, contract in CONTRACTS.items()
        if all(column.name in columns for column in contract.fields if column.required)
    ]
    if not found:
        raise UnreadableSource(
            f"{path} has the columns {', '.join(columns[:8])}: no table has these. "
            f"Name the table with --as ({', '.join(CONTRACTS)}), or rename its columns; recsys describe lists them"
        )
    return max(found, key=lambda name: len(set(CONTRACTS[name].names) & set(columns)))


def _format(source: Source, name: str) -> ModuleType:
    names = format_names()
    if name == "auto":
        modules = (import_module(f"recsys.ingest.formats.{each}") for each in names)
        found = next((module for module in modules if module.recognises(source)), None)
        if found is None:
            raise UnreadableSource(
                f"{source.path} is in no format known here ({', '.join(names)}). Name it with --format, or convert it"
            )
        return found
    if name not in names:
        raise UnreadableSource(f"There is no format {name!r}; known: {', '.join(names)}.{did_you_mean(name, names)}")
    return import_module(f"recsys.ingest.formats.{name}")
