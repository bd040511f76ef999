"""Find the tunes in notes that resemble those of a file, and where and how they agree."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from recsys.errors import InputError
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.agreement import Agreement, agreement_of, interval_text, phrase_names
from recsys.matching.tunes.index import WITH_RHYTHM, Resemblance, TuneIndex, contour_of
from recsys.matching.tunes.melody import Melody, without_repeats
from recsys.matching.tunes.reading import ReadTunes, sorted_out
from recsys.matching.tunes.significance import LEAST_STRANGERS, STRICT, USUAL

LEAST_JUDGED, LONG = 12, 3  # notes of a recording with operating points; lengths of a usual tune beyond which none has
MAX_QUERIES = 200  # melodies of a file that are searched


@dataclass(frozen=True)
class Match:
    """
    A tune that resembles the query.

    Attributes:
        name: Its name.
        melody: Its notes.
        resemblance: How much it resembles the query.
        agreement: Where and how.
        phrase: The longest phrase that both have, as notes of the query.
        point: '0.1 %' or '1 %': the share of strangers' queries whose best score is as unusual; '' above both.
        doubt: Why an unusual score passes no point here; '' if there is no such reason.
    """

    name: str
    melody: Melody
    resemblance: Resemblance
    agreement: Agreement
    phrase: str
    point: str
    doubt: str


@dataclass(frozen=True)
class Answer:
    """
    The tunes that resemble one melody.

    Attributes:
        name: Name of the melody.
        melody: Its notes.
        matches: The most similar first.
    """

    name: str
    melody: Melody
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class SimilarTunes:
    """
    The answers for a file.

    Attributes:
        answers: One for each melody of the file.
        refused: Melodies of the file that cannot be compared, with the reason.
        n_compared: Number of melodies that they were compared with.
        left_out: Melodies of the collection that cannot be compared, with the reason.
    """

    answers: tuple[Answer, ...]
    refused: dict[str, str]
    n_compared: int
    left_out: dict[str, str]

    @property
    def no_point(self) -> str:
        """Why no match passes an operating point, in words."""
        if self.n_compared < LEAST_STRANGERS:
            return f"Among fewer than {LEAST_STRANGERS:,} tunes no operating point is known: judge by the shares."
        return "None is more similar than strangers are in one query of a hundred."


def compare_tunes(
    queries: ReadTunes, collection: ReadTunes, n: int, shown: Container[str] | None = None
) -> SimilarTunes:
    """
    Find the n most similar tunes of a collection for each melody of a file.

    Args:
        queries: What was read of the file: takes of a voice or tunes in notes, not both.
        collection: What was read of the collection.
        n: Number of tunes for each melody, at most 500.
        shown: Names of the tunes that may be named; the others count as strangers and for how common a phrase is. None:
            all.

    Raises:
        InputError: No melody of the file, or none of the collection, can be compared.
    """
    if not queries.melodies:
        raise InputError(f"no tune can be compared. {queries.reasons or 'It has no notes'}")
    if not collection.melodies:
        raise InputError(
            f"no tune of the collection can be compared. {collection.reasons or 'It has no file of notes'}"
        )
    is_take = queries.melodies[0].is_take
    index = TuneIndex.of([without_repeats(it) for it in collection.melodies] if is_take else collection.melodies)
    intervals = [interval_text(melody.pitch) for melody in index.melodies]
    answers = tuple(_answer(index, melody, intervals, n, shown) for melody in queries.melodies)
    left_out = collection.refused if shown is None else {}
    return SimilarTunes(answers, queries.refused, len(collection.melodies), left_out)


def read_query_take(path: Path, settings: AudioSettings) -> ReadTunes:
    """
    Read the notes of a recording of one voice.

    Raises:
        InputError: It cannot be decoded, is longer than five minutes, silent, or not one voice.
    """
    from recsys.audio.sandbox import run_one  # noqa: PLC0415 - of the extra `audio`
    from recsys.matching.tunes.take import read_take  # noqa: PLC0415 - of the extras `audio` and `studio`

    take = run_one(read_take, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    return sorted_out([(take.name, take)])


def _answer(index: TuneIndex, melody: Melody, intervals: list[bytes], n: int, shown: Container[str] | None) -> Answer:
    own = contour_of(melody)
    usual_length = float(np.median([len(other) for other in index.melodies]))
    matches = []
    for found in islice(_named(index, index.search(melody, n if shown is None else WITH_RHYTHM), shown), n):
        other, line = index.melodies[found.row], index.lines[found.row]
        agreement = agreement_of(melody, other, (own, line), found.shift, intervals)
        phrase = phrase_names(melody, agreement.phrase)
        doubt = doubt_of(melody, other, usual_length) if found.expected <= USUAL else ""
        point = "" if doubt else _point(found, len(index.melodies))
        matches.append(Match(other.name, other, found, agreement, phrase, point, doubt))
    return Answer(melody.name, melody, tuple(matches))


def _named(index: TuneIndex, found: Iterable[Resemblance], shown: Container[str] | None) -> Iterator[Resemblance]:
    """Yield what was found of the tunes that may be named."""
    return (it for it in found if shown is None or index.melodies[it.row].name in shown)


def doubt_of(melody: Melody, other: Melody, usual_length: float) -> str:
    """Return why the similarity of a recording is weak evidence, however unusual it is; empty if it is not."""
    if not melody.is_take:
        return ""
    if len(melody) < LEAST_JUDGED:
        return f"{len(melody)} notes are too few for an operating point, which needs {LEAST_JUDGED}: record more."
    if len(other) > LONG * usual_length:
        return (
            f"No operating point: it has {len(other):,} notes, more than {LONG} times as many as most tunes here; "
            "a recording finds its notes somewhere in it. Divide sets and medleys into tunes."
        )
    return ""


def _point(found: Resemblance, n_melodies: int) -> str:
    """Return the operating point that a match passes; empty for none, and in a collection too small for them."""
    if n_melodies < LEAST_STRANGERS:
        return ""
    return str(np.select([found.expected <= STRICT, found.expected <= USUAL], ["0.1 %", "1 %"], ""))
