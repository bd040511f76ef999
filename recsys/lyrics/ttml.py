"""
Timed Text Markup Language, as services deliver lyrics: a `p` per line, a `div` per section.

Times are taken as they are written, from the start of the recording: `12.5s`, `500ms`, `1:02.5` or `00:01:02.500`;
frames and ticks are not read. The reader refuses document types, and with them every entity; it opens nothing outside
of the text, and limits its size and depth.

Source: W3C, Timed Text Markup Language 1 (2018).
"""

import re
from typing import NamedTuple
from xml.parsers import expat

from recsys.lyrics.lines import LyricLine, Lyrics, Section, kind_of

MAX_BYTES = 4 * 1024**2
MAX_DEPTH = 50
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(?:(\d{1,3}):)?(\d{1,5}(?:\.\d{1,9})?)s?$")
_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_SEPARATOR = " "


class BadTtml(ValueError):  # noqa: N818 - reads as the sentence it prints
    """The text is not XML, has a document type, or exceeds the limits; the message never quotes it."""


class TtmlLyrics(NamedTuple):
    """Lyrics with the language that the file states, None where it states none."""

    lyrics: Lyrics
    language: str | None


def is_ttml(head: bytes) -> bool:
    """Return whether a file begins with the element `tt`, after a declaration, comments or a document type."""
    return re.match(rb"\s*(?:<(?:\?|!)[^>]*>\s*)*<(?:\w+:)?tt[\s>]", head) is not None


def from_ttml(text: bytes) -> TtmlLyrics:
    """
    Read TTML.

    Args:
        text: The file as UTF-8, at most 4 MiB.

    Raises:
        BadTtml: It cannot be read.
    """
    if len(text) > MAX_BYTES:
        raise BadTtml(f"it has more than {MAX_BYTES // 1024**2} MiB")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError as broken:
        raise BadTtml(f"it is not XML ({expat.ErrorString(broken.code)})") from None
    return TtmlLyrics(Lyrics(tuple(reader.sections)), reader.language)


class _Reader:
    """Collects the lines of each `div` while the text is parsed."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.language: str | None = None
        self._lines: list[LyricLine] = []
        self._kind: str | None = None
        self._text: list[str] | None = None  # of the open `p`
        self._times: tuple[int | None, int | None] = None, None
        self._depth = 0

    def refuse_doctype(self, *_: object) -> None:
        raise BadTtml("it has a document type, which is not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadTtml(f"its elements are nested more than {MAX_DEPTH} deep")
        match _local(name):
            case "tt":
                self.language = attributes.get(f"{_NAMESPACE}{_SEPARATOR}lang") or None
            case "div":
                self._close_section()
                part = next((value for key, value in attributes.items() if _local(key) == "song-part"), "")
                self._kind = kind_of(part) if part else None
            case "p":
                self._text, self._times = [], (_time(attributes.get("begin")), _time(attributes.get("end")))
            case "br" if self._text is not None:
                self._text.append(" ")

    def end(self, name: str) -> None:
        self._depth -= 1
        if _local(name) == "p" and self._text is not None:
            text = " ".join("".join(self._text).split())
            self._lines += [LyricLine(text, *self._times)] if text else []
            self._text = None
        elif _local(name) in {"div", "body"}:
            self._close_section()

    def characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _close_section(self) -> None:
        if self._lines:
            self.sections.append(Section(tuple(self._lines), self._kind))
        self._lines, self._kind = [], None


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]


def _time(value: str | None) -> int | None:
    """Return a time expression in milliseconds; None if there is none, or one in frames or ticks."""
    if value and re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?ms", value):
        return round(float(value[:-2]))
    found = _CLOCK.match(value or "")
    if not found:
        return None
    first, second, seconds = found.groups()
    hours, minutes = (first, second) if second is not None else (None, first)
    return round((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)) * 1000)
