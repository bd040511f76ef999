"""
A source file: its hash, its decompressed bytes, and its rows as read by a format.

A format is a module in `recsys/ingest/formats/` with two functions: `recognises(source)` and `chunks(source, table)`.
A refused file may contain personal data anywhere, even in place of its column names. So no message quotes the content
of a file, and errors of libraries, which might quote it, are neither shown nor chained.
"""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

import polars as pl

from recsys.errors import InputError, UnreadableSource, did_you_mean
from recsys.files import sha256_of
from recsys.ingest.dialect import UTF_8, Dialect
from recsys.ingest.encoding import refuse_utf16
from recsys.installation.plugins import plugin, plugin_names
from recsys.lake.contract import CONTRACTS, Contract

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

FORMATS = "recsys.ingest.formats"
_SAMPLE_BYTES = 64 * 1024
_COLUMN_NAME = re.compile(r"[^\W\d][\w ()/.-]*$")
_SUBJECTS = {"user_id", "track_id"}
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LINE = "_line"
BOM = b"\xef\xbb\xbf"
_BROKEN = (OSError, EOFError, zlib.error, ZstdError, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class Chunk:
    """
    Some rows of a source, as texts.

    Attributes:
        table: The raw table of the rows.
        rows: String columns (null = missing) and `_line`, the line of the source that each row begins on, from 1.
        malformed: `_line` of the records that could not be parsed.
        columns: Names of the file's columns in lower case, if the file declares them; otherwise empty.
        is_fill_only: Whether rows of a reference table are added only for keys that the lake does not have yet.
    """

    table: str
    rows: pl.DataFrame
    malformed: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    is_fill_only: bool = False


@dataclass(frozen=True)
class Source:
    """A file to ingest; `dialect` is what the caller states about its texts."""

    path: Path
    dialect: Dialect = field(default=UTF_8, kw_only=True)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, which identifies the file under any name."""
        return sha256_of(self.path)

    @cached_property
    def sample(self) -> bytes:
        """The first 64 KiB of the decompressed file."""
        with self.open() as stream:
            return stream.read(_SAMPLE_BYTES)

    @cached_property
    def n_bytes(self) -> int:
        """Size of the file on disk [bytes]."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open the decompressed file; gzip and zstd are recognised by their first bytes, not by the name."""
        with self.path.open("rb") as raw:
            magic = raw.read(4)
        if magic.startswith(_GZIP):
            return cast("BinaryIO", gzip.open(self.path))
        if magic == _ZSTD:
            return io.BufferedReader(cast("io.RawIOBase", ZstdFile(self.path)), _SAMPLE_BYTES)
        return self.path.open("rb")

    def chunks(self, format_name: str = "auto", table: str | None = None) -> Iterator[Chunk]:
        """
        Read the file in chunks.

        Args:
            format_name: A format's name, or "auto" to recognise it by the content.
            table: The raw table; None to recognise it by the columns.

        Raises:
            UnreadableSource: The file is damaged, or its format or table is not recognised.
        """
        try:
            yield from _format(self, format_name).chunks(self, table)
        except _BROKEN as broken:
            raise UnreadableSource(
                f"{self.path} cannot be read to its end ({type(broken).__name__}). "
                "Nothing was ingested from it; get the file again, or remove it from the folder"
            ) from None


def format_names() -> list[str]:
    """List the formats, in the order in which they are tried; CSV is last, since it recognises the most files."""
    return sorted(plugin_names(FORMATS), key=lambda name: name == "csv")


def table_of(columns: list[str], path: Path, table: str | None) -> str:
    """
    Return the raw table that a file with these columns belongs to.

    A table fits if the file has all its required columns and at least two of its columns, and if the table has the
    columns user_id and track_id whenever the file has them; so listens whose time column has an unknown name are not
    mistaken for users. If several tables fit, the one that shares the most columns with the file is returned.

    Args:
        columns: The file's column names, in lower case.
        path: The file, for messages.
        table: The table if the caller named it; the file must have at least one of its columns.

    Raises:
        UnreadableSource: A column name occurs twice, or no table fits.
    """
    given = set(columns)
    if len(given) < len(columns):
        second = next(n for n, name in enumerate(columns) if name in columns[:n])
        first = columns.index(columns[second])
        raise UnreadableSource(f"{path} names a column twice: columns {first + 1} and {second + 1}. Rename one of them")
    if table is not None:
        fitting = [table] if given & set(CONTRACTS[table].names) else []
    else:
        fitting = [name for name, contract in CONTRACTS.items() if _fits(contract, given)]
    if not fitting:
        mismatch = f"{table} has none of these" if table else "no table has these"
        raise UnreadableSource(
            f"{path} has {_column_summary(columns)}: {mismatch}. "
            f"Name the table with --as ({', '.join(CONTRACTS)}), or rename its columns; recsys describe lists them"
        )
    return max(fitting, key=lambda name: len(set(CONTRACTS[name].names) & given))


def _column_summary(columns: list[str]) -> str:
    """Name the columns that occur in a table; only count them if the first line may be a row of values."""
    known = [name for name in columns if any(name in contract.names for contract in CONTRACTS.values())]
    n_others = len(columns) - len(known)
    if 2 * len(known) < len(columns) or not all(map(_COLUMN_NAME.match, columns)):
        return f"{len(columns)} columns with unknown names (or no header line)"
    return f"the columns {', '.join(known)}" + (f" and {n_others} with unknown names" if n_others else "")


def _fits(contract: Contract, given: set[str]) -> bool:
    known, required = set(contract.names), {column.name for column in contract.fields if column.required}
    return required <= given and given & _SUBJECTS <= known and len(given & known) > 1


def refuse_unknown_format(name: str) -> None:
    """Raise InputError unless `name` is the name of a format or "auto"."""
    names = format_names()
    if name != "auto" and name not in names:
        raise InputError(f"There is no format {name!r}; known: {', '.join(names)}.{did_you_mean(name, names)}")


def _format(source: Source, name: str) -> ModuleType:
    names = format_names()
    if name == "auto":
        modules = (plugin(FORMATS, known) for known in names)
        recognised = next((module for module in modules if module.recognises(source)), None)
        if recognised is None:
            refuse_utf16(source)
            raise UnreadableSource(
                f"{source.path} has none of the known formats ({', '.join(names)}). "
                "Name the format with --format, or convert the file"
            )
        return recognised
    return plugin(FORMATS, name)
