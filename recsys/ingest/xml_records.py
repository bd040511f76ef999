"""
Records of an XML message, one after another, in bounded memory.

A record is an element of a wanted name that is in no other record; only its own tree is held, and the rest of the
document is read over. Names have no namespaces. A document type is refused, and with it every entity; nothing outside
of the file is opened; depth, size of a record and size of a single tag are limited.
"""

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from recsys.errors import UnreadableSource
from recsys.ingest.encoding import open_text
from recsys.ingest.source import Source

MAX_DEPTH = 50
MAX_NODES = 500_000  # elements and attributes of one record
MAX_CHARS = 16 * 1024**2  # of the texts and attributes of one record
MAX_TAG_BYTES = 4 * 1024**2  # of a tag or comment
_BLOCK_BYTES = 256 * 1024
_SEPARATOR = " "


class Record(NamedTuple):
    """An element with the line that it begins on, from 1."""

    line: int
    element: Element


class _BadXml(ValueError):  # noqa: N818 - reads as the sentence it prints
    """The text is refused; the message says why, and never quotes it."""


def xml_records(source: Source, names: frozenset[str]) -> Iterator[Record]:
    """
    Read the elements of these names.

    Raises:
        UnreadableSource: The file is not XML, has a document type, or exceeds the limits.
    """
    reader = _Reader(names)
    try:
        with open_text(source) as stream:
            while block := stream.read(_BLOCK_BYTES):
                reader.feed(block)
                yield from reader.take()
        reader.close()
    except _BadXml as bad:
        raise UnreadableSource(
            f"{source.path} is not read: {bad}. Nothing was ingested from it; get it again"
        ) from None


class _Reader:
    """Builds the wanted elements while the text is parsed."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._done: list[Record] = []
        self._builder: TreeBuilder | None = None
        self._line = self._depth = self._record_depth = self._n_nodes = self._n_chars = self._n_bytes = 0
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self._parser.buffer_text = True
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, block: bytes) -> None:
        self._parse(block)
        self._n_bytes += len(block)
        if self._n_bytes - self._parser.CurrentByteIndex > MAX_TAG_BYTES:
            raise _BadXml(f"it has a tag of more than {MAX_TAG_BYTES // 1024**2} MiB")

    def close(self) -> None:
        self._parse(b"", is_last=True)

    def take(self) -> list[Record]:
        """Return the records that have ended since the last call."""
        done, self._done = self._done, []
        return done

    def _parse(self, block: bytes, *, is_last: bool = False) -> None:
        try:
            self._parser.Parse(block, is_last)
        except expat.ExpatError as broken:
            raise _BadXml(f"line {broken.lineno} is not XML ({expat.ErrorString(broken.code)})") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _BadXml(f"its elements are nested more than {MAX_DEPTH} deep")
        if self._builder is None and _local(name) in self._names:
            self._builder, self._record_depth, self._line = TreeBuilder(), self._depth, self._parser.CurrentLineNumber
            self._n_nodes = self._n_chars = 0
        if self._builder is not None:
            self._limit(1 + len(attributes), sum(map(len, attributes.values())))
            self._builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(_local(name))
            if self._depth == self._record_depth:
                self._done.append(Record(self._line, self._builder.close()))
                self._builder = None
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._builder is not None:
            self._limit(0, len(text))
            self._builder.data(text)

    def _limit(self, n_nodes: int, n_chars: int) -> None:
        self._n_nodes += n_nodes
        self._n_chars += n_chars
        if self._n_nodes > MAX_NODES or self._n_chars > MAX_CHARS:
            raise _BadXml(f"the record that begins on line {self._line} is too large")


def text_of(element: Element, path: str) -> str | None:
    """Return the text of the first element at a path, `.` for itself; None if there is none, or only blanks."""
    found = element if path == "." else element.find(path)
    return None if found is None else (found.text or "").strip() or None


def texts_of(element: Element, path: str) -> list[str]:
    """Return the texts of all elements at a path that have one."""
    return [text for found in element.iterfind(path) if (text := text_of(found, "."))]


def _refuse_doctype(*_: object) -> None:
    raise _BadXml("it has a document type, which is not read")


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]
