"""
What is known of lyrics: measures of the text, its sections, their vectors, themes, names, its words without order.

Vectors and names together with the words tell lines, so not all of it is stored of every text: see
`recsys.lyrics.keeping` and `recsys.lyrics.references`. VERSION is part of each
text's id; raise it when the same text would get other rows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from recsys.files import short_hash
from recsys.lyrics.emotion import UNKNOWN as UNKNOWN_EMOTION
from recsys.lyrics.emotion import Emotion, emotion_of
from recsys.lyrics.explicit import Explicit, TermHit, hits_in, hits_in_bag, summary
from recsys.lyrics.language import UNKNOWN, Language, detect
from recsys.lyrics.lines import Lyrics
from recsys.lyrics.references import Name, names_in
from recsys.lyrics.themes import Theme, themes_of
from recsys.lyrics.vectors import SectionVector, section_vectors
from recsys.lyrics.words import bag_of_words, near_hash, words_of

VERSION = "lyrics-5"


@dataclass(frozen=True)
class TextMeasures:
    """
    Measures of a whole text.

    Attributes:
        n_words: Words.
        n_distinct_words: Different words.
        n_lines: Lines; None for a bag of words.
        repetition: Share of lines that repeat an earlier one, 0..1; None for a bag of words.
        near_hash: See `words.near_hash`; None for a bag of words.
        language: Language of the whole text.
    """

    n_words: int
    n_distinct_words: int
    n_lines: int | None = None
    repetition: float | None = None
    near_hash: str | None = None
    language: Language = UNKNOWN


@dataclass(frozen=True)
class SectionMeasures:
    """
    Measures of one section.

    Attributes:
        section: Its number, from 1.
        kind: See `lines.KINDS`; None without a heading.
        first_line: Number of its first line, from 1.
        n_lines: Its lines.
        n_words: Its words.
        repeats: Number of the earlier section with the same words; None if there is none.
        language: Its language.
        start_ms: When it begins, None where unknown [ms].
        end_ms: When it ends, None where unknown [ms].
    """

    section: int
    kind: str | None
    first_line: int
    n_lines: int
    n_words: int
    repeats: int | None
    language: Language
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True)
class LyricsAnalysis:
    """
    What is known of one text.

    Attributes:
        text_id: Hash of the text and of VERSION.
        measures: Measures of the whole text.
        sections: Its sections; none for a bag of words.
        words: Word -> how often it occurs.
        explicit: Its explicit words.
        vectors: The meaning of its sections; none for a bag of words.
        emotion: What its words say of the mood.
        themes: What it is about; none for a bag of words.
        names: What may be a name in it; none for a bag of words.
    """

    text_id: str
    measures: TextMeasures
    sections: tuple[SectionMeasures, ...]
    words: dict[str, int]
    explicit: Explicit
    vectors: tuple[SectionVector, ...] = ()
    emotion: Emotion = UNKNOWN_EMOTION
    themes: tuple[Theme, ...] = ()
    names: tuple[Name, ...] = ()


def analyse(lyrics: Lyrics) -> LyricsAnalysis:
    """Analyse lyrics with lines; a section that repeats an earlier one is analysed once."""
    words = words_of(lyrics.text)
    bag = bag_of_words(words)
    lines = [" ".join(words_of(line.text)) for line in lyrics.lines]
    measures = TextMeasures(
        len(words),
        len(bag),
        len(lines),
        round(1 - len(set(lines)) / len(lines), 4) if lines else None,
        near_hash(words) or None,
        detect(lyrics.text),
    )
    times = "|".join(f"{line.start_ms}-{line.end_ms}" for line in lyrics.lines) if lyrics.is_timed else ""
    kinds = "|".join(section.kind or "" for section in lyrics.sections)
    sections = _sections(lyrics)
    codes = [section.language.code or measures.language.code for section in sections]
    explicit = summary(_hits(lyrics, sections, codes), codes, measures.language.code)
    text_id, emotion = short_hash(VERSION, lyrics.text, kinds, times), emotion_of(bag, measures.language.code)
    vectors, names = section_vectors(lyrics, codes), names_in(lyrics, codes)
    themes = _themes(vectors, sections)
    return LyricsAnalysis(text_id, measures, sections, bag, explicit, vectors, emotion, themes, names)


def analyse_bag(words: Mapping[str, int], *, is_stemmed: bool) -> LyricsAnalysis:
    """Analyse lyrics of which only the words are known; what needs their order is unknown."""
    bag = dict(sorted(words.items(), key=lambda item: (-item[1], item[0])))
    listed = "|".join(f"{word}:{n}" for word, n in bag.items())
    measures = TextMeasures(sum(bag.values()), len(bag), language=detect(" ".join(bag)))
    language = measures.language.code
    explicit = summary(hits_in_bag(bag, language), [language], language)
    emotion = UNKNOWN_EMOTION if is_stemmed else emotion_of(bag, language)
    text_id = short_hash(VERSION, "stemmed" if is_stemmed else "words", listed)
    return LyricsAnalysis(text_id, measures, (), bag, explicit, emotion=emotion)


def _hits(lyrics: Lyrics, sections: tuple[SectionMeasures, ...], languages: Sequence[str | None]) -> Iterator[TermHit]:
    """Yield the explicit words of each line, by the language of its section."""
    for section, measured, language in zip(lyrics.sections, sections, languages, strict=True):
        for number, line in enumerate(section.lines, start=measured.first_line):
            yield from hits_in(words_of(line.text), language, number)


def _themes(vectors: Sequence[SectionVector], sections: Sequence[SectionMeasures]) -> tuple[Theme, ...]:
    """Return the themes of a text; a section counts as often as it is repeated."""
    n_words = Counter[int]()
    for section in sections:
        n_words[section.repeats or section.section] += section.n_words
    return themes_of(vectors, [n_words[vector.section] for vector in vectors])


def _sections(lyrics: Lyrics) -> tuple[SectionMeasures, ...]:
    found, known, first_line = list[SectionMeasures](), dict[str, SectionMeasures](), 1
    for number, section in enumerate(lyrics.sections, start=1):
        words = words_of(section.text)
        key = " ".join(words)
        earlier = known.get(key)
        measured = SectionMeasures(
            section=number,
            kind=section.kind,
            first_line=first_line,
            n_lines=len(section.lines),
            n_words=len(words),
            repeats=earlier.section if earlier else None,
            language=earlier.language if earlier else detect(section.text),
            start_ms=section.lines[0].start_ms,
            end_ms=section.lines[-1].end_ms,
        )
        known.setdefault(key, measured)
        found.append(measured)
        first_line += len(section.lines)
    return tuple(found)
