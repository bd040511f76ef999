"""
The songs of the demo world: verses in seven languages from lines and words of our own writing.

A song is a plan of rows of the table `recsys/demo/verses.tsv`, so it can be sung in any of the languages: a translation
has the same plan. The lines and words of each theme, the lines of each mood, and the lines and names of references have
a part for training and a part for tests, chosen by a hash: a method that recognises them is tuned on songs of one part
and scored on songs of the other. Only this module may read the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl

from recsys.files import short_hash

T = TypeVar("T")
LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "ja")
THEMES = (
    "love", "loss", "party", "protest", "faith", "money", "road", "nature", "family", "city", "night", "dreams",
)  # fmt: skip
MOODS = ("happy", "sad")
REFERENCES = ("place", "person", "brand", "title")
NAMESAKE = "namesake"  # a person or thing called like a place or a brand
NAMESAKE_SHARE = 0.25  # of the lines with a name
PARTS = ("train", "test")
N_VERSE_LINES, N_CHORUS_LINES = 3, 2  # of the theme, in each section; one of the mood follows
TAIL_SHARE = 0.6  # of the lines of a theme
NONE = -1
_TABLE = Path(__file__).with_name("verses.tsv")


class SongLine(NamedTuple):
    """A line of a song, as rows of the table: its pattern, the word in it, and what follows; NONE for no such."""

    pattern: int
    word: int = NONE
    tail: int = NONE


@dataclass(frozen=True)
class Song:
    """
    What a song says, in no language yet.

    Attributes:
        theme: One of THEMES.
        mood: One of MOODS.
        part: One of PARTS.
        sections: Heading and lines of each section, in order.
        is_explicit: Whether lines with explicit words are among them.
    """

    theme: str
    mood: str
    part: str
    sections: tuple[tuple[str, tuple[SongLine, ...]], ...]
    is_explicit: bool = False

    def is_explicit_in(self, language: str) -> bool:
        """Return whether the song has explicit words in a language: the table lacks them for Japanese."""
        return self.is_explicit and any(_table()[language][row] for row in _rows("any", "explicit", None))

    @property
    def references(self) -> dict[str, str]:
        """The names in the song that refer to something: name -> one of REFERENCES."""
        table = _table()
        lines = (line for _, lines in self.sections for line in lines if table["kind"][line.pattern] == "reference")
        kinds = {str(table["en"][line.word]): str(table["group"][line.pattern]) for line in lines}
        return {name: kind for name, kind in kinds.items() if kind != NAMESAKE}

    def text(self, language: str) -> str:
        """Return the song in one of LANGUAGES, with headings and a blank line between sections."""
        sung = ((heading, [_sung(line, language) for line in lines]) for heading, lines in self.sections)
        return "\n\n".join("\n".join([f"[{heading}]", *filter(None, lines)]) for heading, lines in sung)


def compose(theme: str, mood: str, part: str, rng: np.random.Generator, *, is_explicit: bool = False) -> Song:
    """Write a song of two verses and a chorus that comes twice; explicit lines are added if it `is_explicit`."""
    lines = [_with_tail(line, rng) for line in _drawn(_lines_of(theme, part), 2 * N_VERSE_LINES + N_CHORUS_LINES, rng)]
    first, second, third = (SongLine(row) for row in _drawn(_rows(mood, "mood", part), 3, rng))
    explicit = [SongLine(row) for row in _rows("any", "explicit", None)] if is_explicit else []
    verse = (*lines[:N_VERSE_LINES], first)
    other = (*lines[N_VERSE_LINES : 2 * N_VERSE_LINES], second, *explicit)
    chorus = (*lines[2 * N_VERSE_LINES :], third, *explicit)
    sections = (("Verse 1", verse), ("Chorus", chorus), ("Verse 2", other), ("Chorus", chorus))
    return Song(theme, mood, part, sections, is_explicit)


def with_names(song: Song, rng: np.random.Generator, kinds: Sequence[str] = REFERENCES) -> Song:
    """Return a song with another line in each verse: it refers to something of a kind, or names a namesake of one."""
    sections = [
        (heading, lines if heading == "Chorus" else (*lines, _naming(song.part, rng, kinds)))
        for heading, lines in song.sections
    ]
    return replace(song, sections=tuple(sections))


def names_of(group: str) -> list[str]:
    """Return all names of a group of references, in English."""
    return [str(_table()["en"][row]) for row in _rows(group, "name", None)]


def _naming(part: str, rng: np.random.Generator, kinds: Sequence[str]) -> SongLine:
    group = NAMESAKE if rng.random() < NAMESAKE_SHARE else str(rng.choice(kinds))
    pattern, name = (int(rng.choice(_rows(group, kind, part))) for kind in ("reference", "name"))
    return SongLine(pattern, name)


def near_copy(text: str, rng: np.random.Generator) -> str:
    """Return a text with the edits of another uploader: without headings, a line left out, another one in capitals."""
    lines = [line for line in text.splitlines() if not line.startswith("[")]
    left_out, louder = rng.choice([number for number, line in enumerate(lines) if line], 2, replace=False)
    lines[louder] = lines[louder].upper()
    return "\n".join(line for number, line in enumerate(lines) if number != left_out)


@cache
def _table() -> pl.DataFrame:
    table = pl.read_csv(_TABLE, separator="\t", comment_prefix="#").with_row_index("row")
    return table.with_columns(pl.col(LANGUAGES).fill_null(""))  # a line that a language lacks is left out


@cache
def _rows(group: str, kind: str, part: str | None) -> tuple[int, ...]:
    """Return the rows of a group and kind; of a part, those of one half by a hash of the English text."""
    found = _table().filter(pl.col("group") == group, pl.col("kind") == kind)
    by_hash = sorted(found.select("row", "en").iter_rows(), key=lambda row: ("{w}" in row[1], short_hash(row[1])))
    rows = [row for row, _ in by_hash]  # with and without a word apart, so that both parts get as many of each
    return tuple(sorted(rows if part is None else rows[PARTS.index(part) :: len(PARTS)]))


def _lines_of(theme: str, part: str) -> list[SongLine]:
    """Return every line that a part of a theme can have: each pattern with each word, if it has a place for one."""
    patterns, words = _table()["en"], _rows(theme, "word", part)
    return [
        SongLine(row, word)
        for row in _rows(theme, "line", part)
        for word in (words if "{w}" in patterns[row] else (NONE,))
    ]


def _drawn(items: Sequence[T], n: int, rng: np.random.Generator) -> list[T]:
    return [items[number] for number in rng.choice(len(items), n, replace=False)]


def _with_tail(line: SongLine, rng: np.random.Generator) -> SongLine:
    tails = _rows("any", "tail", None)
    return line._replace(tail=int(rng.choice(tails))) if rng.random() < TAIL_SHARE else line


def _sung(line: SongLine, language: str) -> str:
    texts = _table()[language]
    word = str(texts[line.word]) if line.word != NONE else ""
    tail = ("、" if language == "ja" else ", ") + str(texts[line.tail]) if line.tail != NONE else ""
    return str(texts[line.pattern]).replace("{w}", word) + tail
