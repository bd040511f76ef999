"""
Names in lyrics: people, places and brands of a gazetteer, and what may be a name of the catalogue.

Precision comes before recall. A name is a run of words with capital letters inside of a line, in an English section;
lines that are mostly capitalised tell nothing, nor does the first word of a line alone, nor a single word that the text
also writes small. What the gazetteer (`lexicons/references.tsv`, with its sources) lists is stored as a term. Of other
runs a hash is stored: the warehouse compares it with the names of the catalogue, so that names which arrive later are
found as well. Whoever has the words of a text can find the run of a hash, so only texts that are kept have such hashes;
of other texts the terms of the gazetteer are stored, once and without their line (`without_order`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import md5
from pathlib import Path
from typing import NamedTuple

from recsys.lyrics.explicit import ENGLISH
from recsys.lyrics.lines import Lyrics
from recsys.lyrics.words import words_of

KINDS = ("place", "person", "brand")
MAX_WORDS = 4  # of a name
MIN_LETTERS = 4  # of a single word
MAX_CAPITALS = 0.5  # share of the words of a line after its first
_GAZETTEER = Path(__file__).with_name("lexicons") / "references.tsv"
_SENTENCE = re.compile(r"(?<=[.!?\u2026])[\"\u201d)]*\s+")
_PAUSES = ',;:.!?\u2026)"\u201d\u2013\u2014-'  # no name goes on behind them
_WORD = re.compile(r"[^\W\d_][\w'\u2019]*")


class Name(NamedTuple):
    """
    What may be a name.

    Attributes:
        line: Number of its line, from 1; None where it is not kept.
        key: `key_of` its words.
        n_words: Its words.
        term: The term of the gazetteer; None if it is in none.
        kind: One of KINDS; None likewise.
    """

    line: int | None
    key: str
    n_words: int
    term: str | None
    kind: str | None


def key_of(name: str) -> str:
    """
    Return the hash under which a name is found again, whatever its case, signs and spaces.

    `intermediate.catalogue_names` has the same of the names of the catalogue.

    >>> key_of("Guns N' Roses") == key_of("guns n roses"), key_of("Spider-Man") == key_of("spider man")
    (True, True)
    """
    return md5("".join(words_of(name)).replace("'", "").encode(), usedforsecurity=False).hexdigest()


def names_in(lyrics: Lyrics, languages: Sequence[str | None]) -> tuple[Name, ...]:
    """
    Return what may be a name, in the order of lines; each name once per line.

    Args:
        lyrics: The lyrics.
        languages: ISO 639-1 code of each section, None where it is unknown.
    """
    small = {word for line in lyrics.lines for word in _WORD.findall(line.text) if word.islower()}
    found, number = dict[tuple[int, str], Name](), 0
    for section, language in zip(lyrics.sections, languages, strict=True):
        for line in section.lines:
            number += 1
            for words in _names(line.text) if language == ENGLISH else ():
                name = " ".join(words)
                is_one = len(words) == 1 and len(name) >= MIN_LETTERS and name not in small
                if is_one or 1 < len(words) <= MAX_WORDS:
                    found.setdefault((number, name), _named(number, name, len(words)))
    return tuple(found.values())


def without_order(names: Iterable[Name]) -> tuple[Name, ...]:
    """Return the names of the gazetteer, each once and without its line: no more than the words of the text tell."""
    return tuple({name.term: name._replace(line=None) for name in names if name.term}.values())


def _named(line: int, name: str, n_words: int) -> Name:
    kind = _gazetteer().get(name)
    return Name(line, key_of(name), n_words, name if kind else None, kind)


def _names(line: str) -> Iterator[list[str]]:
    """Yield the runs of capitalised words of a line, and their parts of several words."""
    capitals = [_is_capital(word) for word in line.split()[1:]]
    if not capitals or sum(capitals) > MAX_CAPITALS * len(capitals):
        return
    for sentence in _SENTENCE.split(line):
        for start, run in _runs(sentence.split()):
            if len(run) > 1:
                yield from (words_of(" ".join(part)) for part in _parts(run))
            elif start > 0:
                yield words_of(run[0])


def _runs(words: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield where each longest run of capitalised words begins, and its words."""
    start, run = 0, list[str]()
    for place, word in enumerate(words):
        if not _is_capital(word) or (run and run[-1][-1] in _PAUSES):
            if run:
                yield start, run
            run = []
        if _is_capital(word):
            start, run = (start, run) if run else (place, [])
            run.append(word)
    if run:
        yield start, run


def _parts(run: list[str]) -> Iterator[list[str]]:
    for start in range(len(run) - 1):
        for end in range(start + 2, min(start + MAX_WORDS, len(run)) + 1):
            yield run[start:end]


def _is_capital(word: str) -> bool:
    return word.lstrip("(\"\u201c'\u2018")[:1].isupper()


@cache
def _gazetteer() -> dict[str, str]:
    """Return term -> kind."""
    rows = _GAZETTEER.read_text(encoding="utf-8").splitlines()
    return dict(row.split("\t") for row in rows if not row.startswith("#"))
