"""
Text of any encoding as UTF-8: a byte order mark decides, then the stated encoding, else it is UTF-8.

Byte order marks further on, as in files that were joined, are left out. Bytes that are not text become `UNREADABLE`, so
that only their rows are malformed. A file of which most such bytes are no UTF-8 is refused with what it looks like; an
encoding is never guessed.
"""

import codecs
import io
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from typing_extensions import override

from recsys.errors import UnreadableSource

if TYPE_CHECKING:
    from recsys.ingest.source import Source

_MARK = "\ufeff"
UNREADABLE = "\uffff"  # a code point that is never text; NUL bytes become one, too
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BUFFER_BYTES = 1024 * 1024
_SAMPLE_BYTES = 64 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
_MIN_UNITS = 8  # of UTF-16, before a file is said to look like it
_WESTERN = "Windows-1252, of Western Europe", "windows-1252"
_OLD = "a code page of DOS or of old Macs", "cp850"
_OTHER = "an encoding of Cyrillic, Greek or Asian letters", "windows-1251"
_OLD_LETTERS = re.compile(rb"(?<=[A-Za-z])[\x81-\x84\x86-\x89\x8b\x8d-\x90\x94\x96\x98\xa0-\xa5](?=[a-z])")
_LETTERS = re.compile(rb"[\xc0-\xff](?![\x80-\xff])")
_RUNS = re.compile(rb"[\x80-\xff]{2,}")
codecs.register_error("recsys.unreadable", lambda error: (UNREADABLE, _end(error)))


def _end(error: UnicodeError) -> int:
    return error.end if isinstance(error, UnicodeDecodeError) else 0


def open_text(source: "Source") -> io.BufferedReader:
    """Open a source as valid UTF-8 without a byte order mark."""
    return io.BufferedReader(_Utf8(source.open(), source.path, source.dialect.encoding), _BUFFER_BYTES)


def text_sample(source: "Source") -> bytes:
    """Return the beginning of a source as valid UTF-8 without a byte order mark, at most 64 KiB."""
    return _sample_as_text(source.sample, source.dialect.encoding)


@lru_cache(maxsize=4)  # every format looks at the same sample
def _sample_as_text(sample: bytes, stated: str | None) -> bytes:
    encoding, n_mark = _marked(sample) or (stated or "utf-8", 0)
    return _as_text(sample[n_mark:], codecs.getincrementaldecoder(encoding)("recsys.unreadable")).encode()


def text_lines(source: "Source") -> Iterator[tuple[int, str | None]]:
    """
    Yield the lines of a text without line ends, numbered from 1; None for a line with bytes that are not text.

    Raises:
        UnreadableSource: A line is longer than MAX_LINE_BYTES, as in a file without line ends.
    """
    with open_text(source) as stream:
        for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES + 1), b""), start=1):
            if len(line) > MAX_LINE_BYTES:
                raise UnreadableSource(
                    f"{source.path} has a line of more than {MAX_LINE_BYTES:,} bytes in line {number:,}, as if it had "
                    "no line ends. Get the file again, with one record per line"
                )
            yield number, None if is_unreadable(line) else line.decode().rstrip("\r\n")


def is_unreadable(text: bytes) -> bool:
    """Return whether a piece of `open_text` has bytes that are not text."""
    return UNREADABLE.encode() in text


def refuse_utf16(source: "Source") -> None:
    """Raise UnreadableSource if a file that no format recognises looks like UTF-16 without a byte order mark."""
    sample, n_units = source.sample, len(source.sample) // 2
    if n_units < _MIN_UNITS:
        return
    for name, odd in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if odd.count(0) > 0.4 * n_units and sample.count(0) < 0.6 * len(sample) and not source.dialect.encoding:
            raise UnreadableSource(_refusal(source.path, "UTF-16 without a byte order mark", name))


class _Utf8(io.RawIOBase):
    """A stream of bytes in any encoding, as UTF-8."""

    def __init__(self, stream: BinaryIO, path: Path, stated: str | None) -> None:
        self._stream, self._path = stream, path
        self._rest = stream.read(4)
        marked = _marked(self._rest)
        self._encoding, n_mark = marked or (stated or "utf-8", 0)
        self._rest = self._rest[n_mark:]
        self._decoder = codecs.getincrementaldecoder(self._encoding)("recsys.unreadable")
        self._is_stated = marked is not None or stated is not None
        self._is_utf8 = codecs.lookup(self._encoding).name == "utf-8"
        self._made, self._is_at_end = b"", False
        self._n_readable, self._n_unreadable, self._unreadable = 0, 0, b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def close(self) -> None:
        self._stream.close()
        super().close()

    @override
    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to the size of the buffer."""
        while not self._made and not self._is_at_end:
            self._made = self._next()
        n_bytes = min(len(buffer), len(self._made))
        buffer[:n_bytes], self._made = self._made[:n_bytes], self._made[n_bytes:]
        return n_bytes

    def _next(self) -> bytes:
        read = self._stream.read(_BUFFER_BYTES)
        block, self._rest, self._is_at_end = self._rest + read, b"", not read
        is_plain = self._is_utf8 and block.isascii() and b"\0" not in block and not self._decoder.getstate()[0]
        if is_plain and not self._is_at_end:
            return block
        text = _as_text(block, self._decoder, final=self._is_at_end)
        made = text.encode()
        self._count(block, made, text)
        return made

    def _count(self, block: bytes, made: bytes, text: str) -> None:
        """Count readable and unreadable bytes beyond ASCII; at the end, refuse a file of mostly unreadable ones."""
        n_unreadable = text.count(UNREADABLE) - block.count(0)
        self._n_unreadable += n_unreadable
        self._n_readable += len(made) - len(text) - 2 * text.count(UNREADABLE)
        self._unreadable = self._unreadable or (block if n_unreadable > 0 else b"")
        if self._is_at_end and not self._is_stated and self._n_unreadable > self._n_readable:
            raise UnreadableSource(_refusal(self._path, *_look(self._unreadable)))


def _marked(start: bytes) -> tuple[str, int] | None:
    """Return the encoding that a byte order mark states, and the length of the mark."""
    return next(((name, len(mark)) for mark, name in _MARKS if start.startswith(mark)), None)


def _as_text(block: bytes, decoder: codecs.IncrementalDecoder, *, final: bool = False) -> str:
    text = decoder.decode(block, final)
    if not text.isascii():  # half a surrogate pair is not text
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "recsys.unreadable").replace(_MARK, "")
    return text.replace("\0", UNREADABLE)


def _look(block: bytes) -> tuple[str, str]:
    """Return what text that is not UTF-8 looks like, and the name of such an encoding."""
    n_high = sum(byte >= 0x80 for byte in block)
    if sum(map(len, _RUNS.findall(block))) > 0.5 * n_high:
        return _OTHER
    return _OLD if len(_OLD_LETTERS.findall(block)) > len(_LETTERS.findall(block)) else _WESTERN


def _refusal(path: Path, look: str, name: str) -> str:
    return (
        f"{path} is not UTF-8; it looks like {look}. Nothing was ingested from it. State its encoding, such as "
        f"--encoding {name}, or convert it: iconv -f {name} -t UTF-8 FILE > NEW_FILE"
    )
