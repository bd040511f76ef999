"""
Lyrics as sections of lines, whatever form they were delivered in.

In plain text, sections are separated by blank lines, and a line in square brackets is the heading of a section, such as
`[Chorus]` or `[Verse 2: Guest]`. Lines are numbered from 1 without headings and blank lines. Of a heading, only the
kind of the section is kept.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MAX_CHARS = 100_000  # of one text: fifty times a long song
OTHER = "other"
_HEADING = re.compile(r"\[([^\[\]]{1,80})\]")
_KINDS = {  # first word of a heading -> kind
    "verse": "verse", "strophe": "verse", "couplet": "verse", "estrofa": "verse", "verso": "verse", "vers": "verse",
    "chorus": "chorus", "refrain": "chorus", "hook": "chorus", "estribillo": "chorus", "refrão": "chorus",
    "ritornello": "chorus", "coro": "chorus", "pre-chorus": "pre-chorus", "prechorus": "pre-chorus",
    "bridge": "bridge", "pont": "bridge", "puente": "bridge", "ponte": "bridge", "intro": "intro", "outro": "outro",
}  # fmt: skip
KINDS = (*dict.fromkeys(_KINDS.values()), OTHER)


class LyricLine(NamedTuple):
    """
    One line.

    Attributes:
        text: Its text, without blanks around it.
        start_ms: When it begins in the recording, None where unknown [ms].
        end_ms: When it ends, None where unknown [ms].
    """

    text: str
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True)
class Section:
    """
    Some lines that belong together.

    Attributes:
        lines: The lines, at least one.
        kind: One of KINDS; None without a heading.
    """

    lines: tuple[LyricLine, ...]
    kind: str | None = None

    @property
    def text(self) -> str:
        """The texts of the lines, one per line."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Lyrics:
    """
    The lyrics of one recording.

    Attributes:
        sections: The sections, in order.
    """

    sections: tuple[Section, ...]

    @property
    def lines(self) -> list[LyricLine]:
        """All lines, in order; the first has the number 1."""
        return [line for section in self.sections for line in section.lines]

    @property
    def text(self) -> str:
        """The texts of all lines, with a blank line between sections."""
        return "\n\n".join(section.text for section in self.sections)

    @property
    def n_chars(self) -> int:
        """Characters of all lines, with one for each end of a line."""
        return sum(len(line.text) + 1 for section in self.sections for line in section.lines)

    @property
    def is_timed(self) -> bool:
        """Whether any line has a time."""
        return any(line.start_ms is not None for line in self.lines)


def from_lines(lines: Iterable[LyricLine]) -> Lyrics:
    """
    Return lyrics from lines in order; an empty line ends a section, and a heading begins one.

    Of more than MAX_CHARS characters only the lines up to the limit are read, and the one that exceeds it: so lines
    that are repeated by their times need little memory, and `n_chars` says that they are too many.
    """
    sections, current, kind, n_chars = list[Section](), list[LyricLine](), None, 0
    for line in lines:
        if n_chars > MAX_CHARS:
            break
        heading = _HEADING.fullmatch(line.text.strip())
        if line.text.strip() and not heading:
            current.append(line._replace(text=line.text.strip()))
            n_chars += len(current[-1].text) + 1
            continue
        if current:
            sections.append(Section(tuple(current), kind))
            kind = None
        current = []
        kind = kind_of(heading[1]) if heading else kind
    if current:
        sections.append(Section(tuple(current), kind))
    return Lyrics(tuple(sections))


def from_text(text: str) -> Lyrics:
    r"""
    Return lyrics from plain text.

    >>> [section.kind for section in from_text("[Verse 1]\none\ntwo\n\n[Chorus]\nla").sections]
    ['verse', 'chorus']
    """
    return from_lines(LyricLine(line) for line in text.splitlines())


def kind_of(heading: str) -> str:
    """Return the kind of section that a heading names; `other` if it names none of KINDS."""
    first = re.split(r"[\s:\d(]", heading.strip().casefold().replace("pre chorus", "pre-chorus"), maxsplit=1)[0]
    return _KINDS.get(first, OTHER)
