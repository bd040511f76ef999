"""
Records of JSON files: JSON Lines, an array of objects, or an array inside an object, read in slices of bounded size.

Every JSON format reads its records with `records`, so that an array is read wherever JSON Lines is. A record's line is
its line in JSON Lines, and its position in an array, from 1. A record without the expected shape, or with bytes that
are not text, is malformed; the others are read. `NaN` and `Infinity`, which are no JSON, are missing values.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
import polars as pl

from recsys.arrays import I64
from recsys.errors import UnknownContent, UnreadableSource
from recsys.ingest.encoding import is_unreadable, open_text, text_sample
from recsys.ingest.source import LINE, Source

Scalar = str | int | float | bool | None
T = TypeVar("T")
SLICE_BYTES = 16 * 1024**2
_MAX_RECORD_BYTES = 64 * 1024**2
_INVALID = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_OBJECT = re.compile(rb"\{(?!\xef\xbf\xbf)")  # not followed by the NUL of UTF-16, which is `UNREADABLE`
_NO_NUMBER = re.compile(rb'("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b')  # as many programs write missing numbers
_STRUCTURE = np.zeros(256, dtype=np.int8)
_STRUCTURE[list(b'"{}[],')] = (3, 1, -1, 1, -1, 2)  # quote, depth changes, comma


class Records(NamedTuple, Generic[T]):
    """
    Some records of a file.

    Attributes:
        lines: Line of each record, from 1.
        values: The records, in the order of `lines`.
        malformed: Lines without a record of the expected shape.
    """

    lines: list[int]
    values: list[T]
    malformed: list[int]


def is_json(source: Source) -> bool:
    """Return whether the file begins with an object or an array of objects."""
    return _OBJECT.match(_head(source)) is not None or is_array(source)


def is_array(source: Source) -> bool:
    """Return whether the file begins with an array of objects, arrays or texts."""
    return re.match(rb'\[\s*[{\["\]]', _head(source)) is not None


def _head(source: Source) -> bytes:
    return text_sample(source).lstrip()


def first_record(source: Source, key: str = "") -> dict[str, Any]:
    """
    Return the first object of a file, of its array, or of the array `key` in its object.

    The result is empty if there is none, or if it does not end in the first 64 KiB of the file.
    """
    if not is_json(source):
        return {}
    start = _array_start(_head(source), key)
    text = _head(source)[start or 0 :].decode().lstrip()
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _array_start(head: bytes, key: str) -> int | None:
    """Return the position after the bracket of the array, or of the array of that key; None for JSON Lines."""
    opening = rb'"%b"\s*:\s*\[' % re.escape(key.encode()) if key else rb"\A\["
    found = re.search(opening, head)
    return found.end() if found else None


def records(source: Source, kind: type[T], key: str = "") -> Iterator[Records[T]]:
    """
    Read the records of a file.

    Args:
        source: The file.
        kind: Type of a record: a `msgspec.Struct`, or `dict[str, Any]`.
        key: Name of the array that has the records, if the file is one object; it begins in the first 64 KiB.

    Yields:
        Records, slice by slice.

    Raises:
        UnreadableSource: The array is not closed, is followed by other text, or has a record of more than 64 MiB; or
            the text is not in its stated encoding (without one, UTF-8).
        UnknownContent: The file has none of these forms.
    """
    many, one = msgspec.json.Decoder(list[kind]), msgspec.json.Decoder(kind)  # type: ignore[valid-type]
    start = _array_start(_head(source), key)
    if start is None and key:
        raise UnknownContent(f"{source.path} has no array {key!r}. If the file has another format, name it")
    with open_text(source) as stream:
        if start is None:
            yield from _of_lines(stream, one)
        else:
            _skip(stream, source, start)
            first = 1
            for elements in _elements(source, stream, closes_file=not key):
                read = _of_elements(elements, first, many, one)
                first += len(elements)
                yield read
            while stream.read(SLICE_BYTES):  # the encoding is checked up to the end of the file
                pass


def _skip(stream: BinaryIO, source: Source, start: int) -> None:
    stream.read(len(text_sample(source)) - len(_head(source)) + start)


def _of_lines(stream: BinaryIO, one: msgspec.json.Decoder[T]) -> Iterator[Records[T]]:
    first = 1
    while lines := stream.readlines(SLICE_BYTES):
        numbered = ((n, line) for n, line in enumerate(lines, start=first))
        first += len(lines)
        text = b"".join(lines)
        try:
            values = [] if is_unreadable(text) else one.decode_lines(text)
        except _INVALID:
            values = []
        if len(values) == len(lines):
            yield Records(list(range(first - len(lines), first)), values, [])
        else:
            yield _one_by_one(((n, line) for n, line in numbered if line.strip()), one)


def _of_elements(
    elements: "_Elements", first: int, many: msgspec.json.Decoder[list[T]], one: msgspec.json.Decoder[T]
) -> Records[T]:
    array = elements.array()
    if is_unreadable(array):
        return _one_by_one(enumerate(elements, start=first), one)
    try:
        values = many.decode(array)
    except _INVALID:
        return _one_by_one(enumerate(elements, start=first), one)
    return Records(list(range(first, first + len(values))), values, [])


def _one_by_one(texts: Iterable[tuple[int, bytes]], one: msgspec.json.Decoder[T]) -> Records[T]:
    read: Records[T] = Records([], [], [])
    for line, text in texts:
        try:
            value = one.decode(_NO_NUMBER.sub(_null, text))
        except _INVALID:
            read.malformed.append(line)
            continue
        if is_unreadable(text):
            read.malformed.append(line)
        else:
            read.values.append(value)
            read.lines.append(line)
    return read


def _null(found: re.Match[bytes]) -> bytes:
    return found[1] or b"null"


class _Elements:
    """Whole elements of an array: their text without the outer brackets, and where each ends."""

    def __init__(self, text: bytes, ends: I64) -> None:
        self._text, self._ends = text, ends

    def __len__(self) -> int:
        return self._ends.size

    def __iter__(self) -> Iterator[bytes]:
        starts = [0, *(self._ends[:-1] + 1)]
        return (self._text[start:end] for start, end in zip(starts, self._ends, strict=True))

    def array(self) -> bytes:
        """Return the elements as a JSON array."""
        return b"[%b]" % self._text[: self._ends[-1]] if self._ends.size else b"[]"


def _elements(source: Source, stream: BinaryIO, *, closes_file: bool) -> Iterator[_Elements]:
    """Split an array into slices of whole elements; the stream is at the first one."""
    rest = b""
    while block := stream.read(SLICE_BYTES):
        text = rest + block
        ends, closing = _boundaries(text)
        if closing is not None:
            has_last = bool(text[int(ends[-1]) + 1 if ends.size else 0 : closing].strip())
            yield _Elements(text, np.append(ends, closing) if has_last else ends)
            if closes_file and (text[closing + 1 :] + stream.read(SLICE_BYTES)).strip():
                raise UnreadableSource(
                    f"{source.path} has other text after its JSON array. Write one object per line, or one array; "
                    "nothing was ingested from it"
                )
            return
        if ends.size:
            yield _Elements(text, ends)
            rest = text[int(ends[-1]) + 1 :]
        elif len(text) > _MAX_RECORD_BYTES:
            break
        else:
            rest = text
    raise UnreadableSource(
        f"{source.path} is a JSON array that does not end, or has a record of more than "
        f"{_MAX_RECORD_BYTES // 1024**2} MiB. Nothing was ingested from it; get the file again"
    )


def _boundaries(text: bytes) -> tuple[I64, int | None]:
    """Return the positions of the commas between elements, and of the bracket that closes the array, if it is there."""
    plain = text.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in text else text
    kinds = _STRUCTURE[np.frombuffer(plain, dtype=np.uint8)]
    positions = np.flatnonzero(kinds)
    kinds = kinds[positions]
    is_outside = np.cumsum(kinds == 3) % 2 == 0
    depths = np.cumsum(np.where(is_outside & (np.abs(kinds) == 1), kinds, 0))
    closing = np.flatnonzero(depths < 0)
    n_inside = closing[0] if closing.size else depths.size
    commas = is_outside[:n_inside] & (kinds[:n_inside] == 2) & (depths[:n_inside] == 0)
    return positions[:n_inside][commas], int(positions[closing[0]]) if closing.size else None


def column(values: Iterable[Any]) -> pl.Series:
    """Return JSON values as texts (see `as_text`)."""
    given = list(values)
    try:
        if set(map(type, given)) <= {int, type(None)}:
            return pl.Series(given, dtype=pl.Int64).cast(pl.String)
        return pl.Series(given, dtype=pl.String)
    except (TypeError, OverflowError):  # not only texts, or an integer of more than 64 bits
        return pl.Series([as_text(value) for value in given], dtype=pl.String)


def as_text(value: object) -> str | None:
    """Return a JSON value as a text: lists of values as `a|b`, objects as JSON, null as missing."""
    match value:
        case None | str():
            return value
        case list():
            return "|".join(str(element) for element in value if element is not None)
        case _:
            return json.dumps(value)


def frame(lines: Iterable[int], rows: Iterable[Sequence[Scalar]], names: Sequence[str]) -> pl.DataFrame:
    """
    Return rows of scalars as texts.

    Args:
        lines: Line of each row.
        rows: The values of each row, in the order of `names`.
        names: Column names.

    Returns:
        The columns and `_line`.
    """
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    texts = {name: column(given) for name, given in zip(names, values, strict=True)}
    return pl.DataFrame({**texts, LINE: pl.Series(list(lines), dtype=pl.Int64)})


def milliseconds(seconds: Scalar) -> Scalar:
    """Convert seconds to milliseconds; null and 0 (unknown, in players' logs) become null, other values are kept."""
    if isinstance(seconds, bool | str):
        return seconds
    return round(seconds * 1000) if seconds else None
