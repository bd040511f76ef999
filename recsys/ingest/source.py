"""
A source file or archive: its hash, its decompressed bytes, and its rows as read by a format.

A format is a module in `recsys/ingest/formats/` with two functions: `recognises(source)` and `chunks(source, table)`.
One whose files may look like another table has the constant TABLES, and reads no file for which the caller names
another table.
A refused file may contain personal data anywhere, even in place of its column names. So no message quotes the content
of a file, and errors of libraries, which might quote it, are neither shown nor chained.

An archive is one source, whose members are read one after another. Members that no format recognises are skipped and
listed. A personal export that names no account belongs to the listener of `Source.account`.
"""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, cast

import polars as pl

from recsys.errors import InputError, UnknownContent, UnreadableSource, did_you_mean
from recsys.files import printable, sha256_of
from recsys.ingest import archive
from recsys.ingest.dialect import UTF_8, Dialect
from recsys.ingest.encoding import refuse_utf16, text_sample
from recsys.ingest.pseudonym import redacted
from recsys.installation.plugins import plugin, plugin_names
from recsys.lake.contract import CONTRACTS, DELIVERED, Contract
from recsys.lyrics.keeping import Keeping

if TYPE_CHECKING:
    from recsys.ingest.mapping import Mapping

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

FORMATS = "recsys.ingest.formats"
_OWN, _GENERAL = "mapped", ("parquet", "jsonl", "csv")
SAMPLE_BYTES = 64 * 1024
_COLUMN_NAME = re.compile(r"[^\W\d][\w ()/.-]*$")
_SUBJECTS = {"user_id", "track_id"}
_NOT_DELIVERED = {name for contract in CONTRACTS.values() for name in contract.names} - {
    name for contract in DELIVERED.values() for name in contract.names
}
_MADE_AT_INGEST = (
    f"has columns of a table made at ingest ({', '.join(name for name in CONTRACTS if name not in DELIVERED)}), "
    "whose rows cannot be delivered. Deliver lyrics as track_id and text, without columns that docs/formats.md does "
    "not list, or in another format of lyrics; to read such a table whatever its other columns: --format lyrics_table"
)
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LINE = "_line"
_BROKEN = (OSError, EOFError, zlib.error, ZstdError, pl.exceptions.PolarsError, *archive.BROKEN)
_MEMBER_BITS = 40  # of `_line` in an archive: the line is below, the number of the member above


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
        is_sealed: Whether the listeners are pseudonyms with the seal of the home's key (`pseudonym.sealed`), which are
            not hashed again; a row without a valid seal is refused.
    """

    table: str
    rows: pl.DataFrame
    malformed: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    is_fill_only: bool = False
    is_sealed: bool = False


@dataclass(frozen=True)
class Source:
    """
    A file to ingest.

    Attributes:
        path: The file.
        user: The account that personal exports belong to, unless they name it; None if it was not given.
        mappings: The home's mappings of columns, for files in a form of one's own.
        member: The member of the archive that is read; None for the file as a whole.
        members: Of an archive: the names of the members read so far, by their numbers.
        skipped: Of an archive: the names of the members that no format recognised.
        dialect: What the caller states about the texts of the file.
        keeping: What is kept of lyrics.
    """

    path: Path
    user: str | None = None
    mappings: tuple["Mapping", ...] = ()
    member: archive.Member | None = None
    members: dict[int, str] = field(default_factory=dict, compare=False)
    skipped: list[str] = field(default_factory=list, compare=False)
    dialect: Dialect = field(default=UTF_8, kw_only=True)
    keeping: Keeping = field(default=Keeping(), kw_only=True)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, which identifies the file under any name."""
        return sha256_of(self.path)

    @cached_property
    def sample(self) -> bytes:
        """The first 64 KiB of the decompressed file."""
        with self.open() as stream:
            return stream.read(SAMPLE_BYTES)

    @cached_property
    def n_bytes(self) -> int:
        """Size of the file on disk [bytes]."""
        return self.path.stat().st_size

    @property
    def name(self) -> str:
        """Name of the file or member, without folders."""
        return self.member.name.rpartition("/")[2] if self.member else self.path.name

    @property
    def account(self) -> str:
        """
        The account of a personal export that names none.

        It is the account given with the ingest. Without one, an archive is a listener of its own, and files in one
        folder belong to one listener: `file:<folder>/<archive>` or `folder:<folder>`.
        """
        folder = self.path.resolve().parent.name
        return self.user or (f"file:{folder}/{self.path.name}" if self.member else f"folder:{folder}")

    def open(self) -> BinaryIO:
        """Open the decompressed file; gzip and zstd are recognised by their first bytes, not by the name."""
        if self.member:
            return self.member.open()
        if self._magic.startswith(_GZIP):
            return self._unpacked(gzip.open(self.path))
        if self._magic == _ZSTD:
            return self._unpacked(ZstdFile(self.path))
        return self.path.open("rb")

    @cached_property
    def _magic(self) -> bytes:
        with self.path.open("rb") as raw:
            return raw.read(4)

    def _refuse_bomb(self) -> None:
        """Unpack a compressed file up to its limit before any row of it is kept in memory."""
        if self._magic.startswith(_GZIP) or self._magic == _ZSTD:
            with self.open() as stream:
                while stream.read(archive.COPY_BYTES):
                    pass
            archive.refuse_packed(self.path, self.sample)

    def _unpacked(self, stream: object) -> BinaryIO:
        limited = archive.Unpacked(cast("BinaryIO", stream), archive.Limit(self.path))
        return cast("BinaryIO", io.BufferedReader(limited, archive.COPY_BYTES))

    def chunks(self, format_name: str = "auto", table: str | None = None) -> Iterator[Chunk]:
        """
        Read the file, or all members of an archive, in chunks.

        Args:
            format_name: A format's name, or "auto" to recognise it by the content.
            table: The raw table; None to recognise it by the columns.

        Raises:
            UnreadableSource: The file is damaged, or its format or table is not recognised.
        """
        try:
            self._refuse_bomb()
            if archive.is_archive(self.sample):
                yield from self._chunks_of_members(format_name, table)
            else:
                yield from _format(self, format_name, table).chunks(self, table)
        except _BROKEN as broken:
            raise UnreadableSource(
                f"{self.path} cannot be read to its end ({type(broken).__name__}). "
                "Nothing was ingested from it; get the file again, or remove it from the folder"
            ) from None

    def _chunks_of_members(self, format_name: str, table: str | None) -> Iterator[Chunk]:
        with self.open() as stream:
            for number, member in enumerate(self._members(stream), start=1):
                try:
                    inside = replace(self, member=member)
                    yield from (
                        _in_member(number, chunk) for chunk in _format(inside, format_name, table).chunks(inside, table)
                    )
                    self.members[number] = member.name
                except UnknownContent:
                    self.skipped.append(member.name)
        if not self.members:
            raise UnreadableSource(
                f"{self.path} is an archive of {len(self.skipped):,} files, and none has a known format "
                f"({', '.join(format_names())}). Unpack it and ingest the files that you want"
            )

    def _members(self, stream: BinaryIO) -> Iterator[archive.Member]:
        return archive.members(self.path, stream, is_zip=archive.is_zip(self.sample))

    def place(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Replace the lines of rows for the quarantine (`source_file`, `source_line`) by member and line in it."""
        if not self.members:
            return lines
        names = {number: f"/{shown(name)}" for number, name in self.members.items()}
        numbers = pl.col("source_line") // (1 << _MEMBER_BITS)
        return lines.with_columns(
            source_file=pl.col("source_file") + numbers.replace_strict(names, default="", return_dtype=pl.String),
            source_line=pl.col("source_line") % (1 << _MEMBER_BITS),
        )


def _in_member(number: int, chunk: Chunk) -> Chunk:
    """Make the lines of a chunk unique within the archive."""
    offset = number << _MEMBER_BITS
    malformed = [offset + line for line in chunk.malformed]
    return replace(chunk, rows=chunk.rows.with_columns(pl.col(LINE) + offset), malformed=malformed)


def shown(name: str) -> str:
    """Return a file name for messages and the quarantine: control characters escaped, personal data replaced."""
    signs = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in printable(name))
    return str(pl.select(redacted(pl.lit(signs))).item())


def format_names() -> list[str]:
    """List the formats, in the order in which they are tried: mappings first; last those that recognise most files."""
    return [_OWN, *plugin_names(FORMATS, exclude=(_OWN, *_GENERAL)), *_GENERAL]


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
        UnreadableSource: A column name occurs twice, no table fits, or the rows of the table are made at ingest.
    """
    given = set(columns)
    if len(given) < len(columns):
        second = next(n for n, name in enumerate(columns) if name in columns[:n])
        first = columns.index(columns[second])
        raise UnreadableSource(f"{path} names a column twice: columns {first + 1} and {second + 1}. Rename one of them")
    if table is not None:
        fitting = [table] if given & set(CONTRACTS[table].names) else []
    else:
        fitting = [name for name, contract in DELIVERED.items() if _fits(contract, given)]
    if (table and table not in DELIVERED) or (not fitting and _looks_made(given)):
        raise UnknownContent(f"{path} {_MADE_AT_INGEST}")
    if not fitting:
        mismatch = f"{table} has none of these" if table else "no table has these"
        raise UnknownContent(f"{path} has {_column_summary(columns)}: {mismatch}. {_remedy(columns, table)}")
    return max(fitting, key=lambda name: len(set(CONTRACTS[name].names) & given))


def _looks_made(given: set[str]) -> bool:
    """Return whether columns are those of a table that is made at ingest, one of them of no other table."""
    made = (set(contract.names) for contract in CONTRACTS.values() if not contract.is_delivered)
    return bool(given & _NOT_DELIVERED) and any(len(given & names) > 1 for names in made)


def _column_summary(columns: list[str]) -> str:
    """Name the columns that occur in a table; only count them if the first line may be a row of values."""
    if _may_be_values(columns):
        return f"{len(columns)} columns with unknown names (or no header line)"
    known = _known(columns)
    n_others = len(columns) - len(known)
    return f"the columns {', '.join(known)}" + (f" and {n_others} with unknown names" if n_others else "")


def _remedy(columns: list[str], table: str | None) -> str:
    """Say what makes the file readable, without a value of it."""
    if not _may_be_values(columns):
        return f"Name the table with --as ({', '.join(DELIVERED)}), or rename its columns; recsys describe lists them"
    required = [field.name for field in CONTRACTS[table or "listens"].fields if field.required]
    return (
        "If it has no header line, add one above its first row: the names of its columns, separated as its rows are, "
        f"for {table or 'listens'} {', '.join(required)}. If it has one, map its columns: "
        f"--map {','.join(f'{name}=COLUMN' for name in required)}"
    )


def _may_be_values(columns: list[str]) -> bool:
    return 2 * len(_known(columns)) < len(columns) or not all(map(_COLUMN_NAME.match, columns))


def _known(columns: list[str]) -> list[str]:
    return [name for name in columns if any(name in contract.names for contract in CONTRACTS.values())]


def _fits(contract: Contract, given: set[str]) -> bool:
    known, required = set(contract.names), {column.name for column in contract.fields if column.required}
    return required <= given and given & _SUBJECTS <= known and len(given & known) > 1


def refuse_unknown_format(name: str) -> None:
    """Raise InputError unless `name` is the name of a format or "auto"."""
    names = format_names()
    if name != "auto" and name not in names:
        raise InputError(f"There is no format {name!r}; known: {', '.join(names)}.{did_you_mean(name, names)}")


def _format(source: Source, name: str, table: str | None) -> ModuleType:
    names = format_names()
    if name == "auto":
        modules = (plugin(FORMATS, known) for known in names)
        possible = (module for module in modules if table is None or table in getattr(module, "TABLES", (table,)))
        recognised = next((module for module in possible if module.recognises(source)), None)
        if recognised is None:
            refuse_utf16(source)
            if not text_sample(source).strip():
                raise UnknownContent(f"{source.path} is empty: it has no lines. Remove it, or get the file again")
            raise UnknownContent(
                f"{source.path} has none of the known formats ({', '.join(names)}). "
                "Name the format with --format, or convert the file"
            )
        return recognised
    return plugin(FORMATS, name)
