"""
A source file: its identity, its bytes (gzip and zstd undone), and what a format makes of it.

A format is a module in `recsys/ingest/formats/` with two functions: `recognises(source)` and `chunks(source, table)`.
A file that is refused may hold anything anywhere, also where its column names should stand. So no message repeats
what stands in it, and no error of a library that might is shown or chained.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, cast

import polars as pl
import zstandard

from recsys.errors import InputError, UnreadableSource, did_you_mean
from recsys.files import sha256_of
from recsys.installation.plugins import plugin, plugin_names
from recsys.lake.contract import CONTRACTS, Contract

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORMATS = "recsys.ingest.formats"
_SAMPLE_BYTES = 64 * 1024
_SUBJECTS = {"user_id", "track_id"}
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LINE = "_line"
BOM = b"\xef\xbb\xbf"
_BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class Chunk:
    """
    A piece of a source, as texts.

    Attributes:
        table: Which raw table its rows belong to.
        rows: String columns (null = missing) and `_line`, the source line each row begins on (1 = the first).
        malformed: `_line` of the records that could not be read at all.
        is_fill_only: Whether the rows of a register only fill gaps: a key that is known already keeps its row.
    """

    table: str
    rows: pl.DataFrame
    malformed: list[int] = field(default_factory=list)
    is_fill_only: bool = False


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
            return cast("BinaryIO", io.BufferedReader(_Unzstd(stream), _SAMPLE_BYTES))
        return stream

    def chunks(self, format_name: str = "auto", table: str | None = None) -> Iterator[Chunk]:
        """Read the file piece by piece; `table` overrides what the columns say."""
        try:
            yield from _format(self, format_name).chunks(self, table)
        except _BROKEN as broken:
            raise UnreadableSource(
                f"{self.path} cannot be read to its end ({type(broken).__name__}). "
                "Nothing of it was taken in; get the file again, or take it out of the folder"
            ) from None


class _Unzstd(io.RawIOBase):
    """Frames of zstd, undone one after the other; one that breaks off is an error (`stream_reader` passes over it)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._frame = stream, zstandard.ZstdDecompressor().decompressobj()
        self._ready, self._is_inside = memoryview(b""), False

    def readable(self) -> bool:  # type: ignore[explicit-override]  # typing.override is of Python 3.12
        """Say yes."""
        return True

    def close(self) -> None:  # type: ignore[explicit-override]  # as above
        """Close the packed file too."""
        self._stream.close()
        super().close()

    def readinto(self, into: "Buffer", /) -> int:  # type: ignore[explicit-override]  # as above
        """Fill `into`, or as much of it as one piece of the file gives."""
        while not self._ready and (packed := self._frame.unused_data or self._stream.read(_SAMPLE_BYTES)):
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready, self._is_inside = memoryview(self._frame.decompress(packed)), not self._frame.eof
        if not self._ready and self._is_inside:
            raise EOFError("its last zstd frame breaks off")
        view = memoryview(into)
        n_bytes = min(len(view), len(self._ready))
        view[:n_bytes], self._ready = self._ready[:n_bytes], self._ready[n_bytes:]
        return n_bytes


def format_names() -> list[str]:
    """List the formats, in the order in which they are tried."""
    return sorted(plugin_names(FORMATS), key=lambda name: name == "csv")


def table_of(columns: list[str], path: Path, table: str | None) -> str:
    """
    Return the table that these columns belong to.

    It is one whose required columns are all there; it has a place for the listeners and tracks that the file speaks of
    (so listens whose time has another name are not taken for users), and knows at least two of the columns.
    """
    given = set(columns)
    if len(given) < len(columns):
        second = next(at for at, name in enumerate(columns) if name in columns[:at])
        first = columns.index(columns[second])
        raise UnreadableSource(f"{path} names a column twice: columns {first + 1} and {second + 1}. Rename one of them")
    if table is not None:
        found = [table] if given & set(CONTRACTS[table].names) else []
    else:
        found = [name for name, contract in CONTRACTS.items() if _fits(contract, given)]
    if not found:
        knows = f"{table} has none of these" if table else "no table has these"
        raise UnreadableSource(
            f"{path} has {_columns_told(columns)}: {knows}. "
            f"Name the table with --as ({', '.join(CONTRACTS)}), or rename its columns; recsys describe lists them"
        )
    return max(found, key=lambda name: len(set(CONTRACTS[name].names) & given))


def _columns_told(columns: list[str]) -> str:
    """Name the columns that some table has and count the others, whose names may be values."""
    known = [name for name in columns if any(name in contract.names for contract in CONTRACTS.values())]
    n_others = len(columns) - len(known)
    if not known:
        return f"{n_others} columns and no header line, or one in which no name is known"
    return f"the columns {', '.join(known)}" + (f" and {n_others} of other names" if n_others else "")


def _fits(contract: Contract, given: set[str]) -> bool:
    known, required = set(contract.names), {column.name for column in contract.fields if column.required}
    return required <= given and given & _SUBJECTS <= known and len(given & known) > 1


def refuse_unknown_format(name: str) -> None:
    """Raise InputError unless `name` is a format's or "auto"."""
    names = format_names()
    if name != "auto" and name not in names:
        raise InputError(f"There is no format {name!r}; known: {', '.join(names)}.{did_you_mean(name, names)}")


def _format(source: Source, name: str) -> ModuleType:
    names = format_names()
    if name == "auto":
        modules = (plugin(FORMATS, each) for each in names)
        found = next((module for module in modules if module.recognises(source)), None)
        if found is None:
            raise UnreadableSource(
                f"{source.path} is in no format known here ({', '.join(names)}). Name it with --format, or convert it"
            )
        return found
    return plugin(FORMATS, name)
