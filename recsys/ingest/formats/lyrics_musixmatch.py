"""
Bags of words in the format of the musiXmatch dataset: how often each word occurs, without the order.

    # a comment
    %i,the,you               the words, stemmed
    TR0001,4623710,1:6,3:2   track id, id at musiXmatch, number of a word from 1 and how often it occurs, from 1

In some copies the words have no `%`; without it, a file is recognised by ten words or more, two rows or more that all
have this form, and a row with several words: so a table of times is not taken for words.

A text of words in this form cannot be read, so that what needs order is unknown: lines, sections, repetition,
near-duplicates, language.

Source: Bertin-Mahieux, Ellis, Whitman, Lamere, The Million Song Dataset (ISMIR 2011).
"""

import re
from collections import Counter
from collections.abc import Iterator

from recsys.ingest.encoding import text_lines, text_sample
from recsys.ingest.lyrics import LYRICS, DeliveredLyrics, chunks_of
from recsys.ingest.source import Chunk, Source

TABLES = (LYRICS,)
_SOURCE = "musixmatch"
_ROW = re.compile(r"[^,\s]{1,100},\d*(?:,\d{1,6}:\d{1,6})+,?$")
_ROW_START = re.compile(r"[^,\s]{1,100},\d*,\d{1,6}:\d{1,6}[,\d:]*$")
_SEVERAL = re.compile(r"[^,]*,\d*(?:,\d{1,6}:\d{1,6}){2}")
_MAX_WORDS = 1_000_000
_LEAST_WORDS, _LEAST_ROWS, _ROWS_SEEN = 10, 2, 20  # of a file without `%`


def recognises(source: Source) -> bool:
    """Return whether the first line that is no comment lists words, and the next ones are rows."""
    lines = [line for line in text_sample(source).decode(errors="ignore").splitlines() if not line.startswith("#")]
    if len(lines) < _LEAST_ROWS or "," not in lines[0]:
        return False
    if lines[0].startswith("%"):
        return _ROW_START.match(lines[1]) is not None
    rows, n_words = [line for line in lines[1:_ROWS_SEEN] if line.strip()], lines[0].count(",") + 1
    are_rows = len(rows) >= _LEAST_ROWS and n_words >= _LEAST_WORDS and all(map(_ROW_START.match, rows))
    return are_rows and any(map(_SEVERAL.match, rows))


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read each row as the words of one recording; `table` is ignored."""
    return chunks_of(source, _rows(source))


def _rows(source: Source) -> Iterator[DeliveredLyrics | int]:
    words = list[str]()
    for number, line in text_lines(source):
        if line is not None and (not line.strip() or line.startswith("#")):
            continue
        if line is not None and not words:
            words = [word.strip() for word in line.removeprefix("%").split(",")][:_MAX_WORDS]
            continue
        bag = None if line is None else _bag(line, words)
        if line is None or bag is None:
            yield number
        else:
            yield DeliveredLyrics(number, line.partition(",")[0], bag, source=_SOURCE, is_stemmed=True)


def _bag(line: str, words: list[str]) -> dict[str, int] | None:
    """Return the words of a row; None if it is no row, has a count of 0, or has the number of no word."""
    if not _ROW.match(line):
        return None
    bag = Counter[str]()
    for pair in line.rstrip(",").split(",")[2:]:
        number, n = map(int, pair.split(":"))
        if not 0 < number <= len(words) or n < 1:
            return None
        bag[words[number - 1]] += n
    return dict(bag)
