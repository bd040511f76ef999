"""
What is unpacked, within limits: compressed files, and the members of zip and tar archives.

A member is copied to a temporary file without a name before it is read: no path of an archive is ever written to disk.
Links, devices and hidden members are not read, and archives in archives are refused. An archive or compressed file that
unpacks to more than MAX_BYTES, or beyond the first FREE_BYTES to more than MAX_RATIO times its size, is refused.
"""

import io
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, TypeAlias, cast

from typing_extensions import Buffer, override

from recsys.errors import UnreadableSource

MAX_MEMBERS = 10_000
MAX_BYTES = 64 * 1024**3
FREE_BYTES = 256 * 1024**2
MAX_RATIO = 100  # text of listening logs is compressed 5 to 50 times
COPY_BYTES = 1024**2
_HEAD_BYTES = 512
_ZIP, _TAR = (b"PK\x03\x04", b"PK\x05\x06"), b"ustar"
_PACKED = (*_ZIP, b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
_WORKBOOK = "xl/workbook.xml"
BROKEN = (zipfile.BadZipFile, tarfile.TarError, NotImplementedError)


class Limit:
    """The number of bytes that may still be unpacked from one file."""

    def __init__(self, path: Path) -> None:
        n_packed = path.stat().st_size
        self._path, self._most = path, min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * n_packed))
        self._left = self._most

    def take(self, n_bytes: int) -> None:
        """Count bytes; raises UnreadableSource if the file unpacks to more than its limit."""
        self._left -= n_bytes
        if self._left < 0:
            raise UnreadableSource(
                f"{self._path} unpacks to more than {self._most / 1024**2:,.0f} MiB, the limit for a file of its size. "
                "Nothing was ingested from it; if it is what you expect, unpack it and ingest the unpacked files"
            )


class Unpacked(io.RawIOBase):
    """A decompressed stream that counts its bytes against a limit."""

    def __init__(self, stream: IO[bytes], limit: Limit) -> None:
        super().__init__()
        self._stream, self._limit = stream, limit

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        n_bytes = cast("io.BufferedIOBase", self._stream).readinto(buffer)
        self._limit.take(n_bytes)
        return n_bytes

    @override
    def close(self) -> None:
        self._stream.close()
        super().close()


class Member:
    """
    A member of an archive, copied to a temporary file without a name.

    Attributes:
        name: Its name in the archive, for messages and the quarantine only.
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name, self._file = name, file

    def open(self) -> BinaryIO:
        """Open the member at its beginning; streams opened before keep their own positions."""
        return cast("BinaryIO", io.BufferedReader(_FromStart(self._file.fileno()), COPY_BYTES))


class _FromStart(io.RawIOBase):
    def __init__(self, handle: int) -> None:
        super().__init__()
        self._handle, self._position = handle, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._handle).st_size}[whence]
        self._position = start + offset
        return self._position

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        n_bytes = os.preadv(self._handle, [buffer], self._position)
        self._position += n_bytes
        return n_bytes


def is_zip(sample: bytes) -> bool:
    """Return whether a file begins like a zip archive."""
    return sample.startswith(_ZIP)


def is_archive(sample: bytes) -> bool:
    """Return whether a decompressed file begins like a zip or tar archive."""
    return is_zip(sample) or sample[257:262] == _TAR


def refuse_packed(path: Path, head: bytes, is_archive: bool = False) -> None:
    """Raise UnreadableSource if unpacked content begins like an archive or compressed file, or is said to be one."""
    if head.startswith(_PACKED) or is_archive:
        raise UnreadableSource(
            f"{path} contains an archive or compressed file. Unpack it and ingest what is inside; "
            "nothing was ingested from it"
        )


_Entry: TypeAlias = tuple[str, IO[bytes]]  # name, content


def members(path: Path, stream: BinaryIO, *, is_zip: bool) -> Iterator[Member]:
    """
    Unpack the members of an archive one by one; a member is readable until the next one is requested.

    Args:
        path: The file, for messages and its size.
        stream: The decompressed file at its beginning; a zip archive must be seekable.
        is_zip: Whether it is a zip archive, or a tar archive.

    Raises:
        UnreadableSource: The archive exceeds a limit, is encrypted, contains another archive or is a workbook.
    """
    limit = Limit(path)
    for n, (name, content) in enumerate(_zip_entries(path, stream) if is_zip else _tar_entries(stream), start=1):
        if n > MAX_MEMBERS:
            raise UnreadableSource(f"{path} has more than {MAX_MEMBERS:,} members. Unpack it and ingest the files")
        if not _is_hidden(name):
            with tempfile.TemporaryFile() as file:
                _copy(path, content, file, limit)
                yield Member(name, file)


def _copy(path: Path, content: IO[bytes], file: IO[bytes], limit: Limit) -> None:
    head = content.read(_HEAD_BYTES)
    refuse_packed(path, head, is_archive(head))
    while head:
        limit.take(len(head))
        file.write(head)
        head = content.read(COPY_BYTES)
    file.flush()


def _zip_entries(path: Path, stream: BinaryIO) -> Iterator[_Entry]:
    with zipfile.ZipFile(stream) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if any(entry.filename == _WORKBOOK for entry in entries):
            raise UnreadableSource(
                f"{path} is a workbook (as Deezer delivers it). Save the sheet of the listening history as CSV, and "
                "ingest that file with --map"
            )
        for entry in entries:
            if entry.flag_bits & 1:
                raise UnreadableSource(f"{path} is encrypted. Unpack it with its password and ingest the files")
            if not stat.S_ISLNK(entry.external_attr >> 16):
                with archive.open(entry) as member:
                    yield entry.filename, member


def _tar_entries(stream: BinaryIO) -> Iterator[_Entry]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                yield entry.name, content


def _is_hidden(name: str) -> bool:
    return any(
        part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts if part not in (".", "..")
    )
