"""Find the tunes that resemble those of a file, and where and how they agree: what `recsys same-tune` calls."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recsys.errors import InputError
from recsys.files import printable, write_text
from recsys.library.files import COMPANION_SUFFIXES
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.agreement import Agreement, agreement_of, interval_text, phrase_names
from recsys.matching.tunes.index import Resemblance, TuneIndex, contour_of
from recsys.matching.tunes.melody import Melody, without_repeats
from recsys.matching.tunes.reading import SUFFIXES, ReadTunes, read_tunes, sorted_out
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


def similar_tunes(path: Path, against: Path, n: int, settings: AudioSettings) -> SimilarTunes:
    """
    Find the n most similar tunes for each melody of a file.

    Args:
        path: A file of ABC, MIDI or MusicXML, or a recording of one voice.
        against: A folder of such files, of which `path` is left out, or one of them.
        n: Number of tunes for each melody, at most 500.
        settings: Limits of time and memory for decoding a recording.

    Raises:
        InputError: No melody of the file, or none of the collection, can be compared.
        SetupError: A MIDI file or a recording is to be read, and the extras audio and studio are not installed.
    """
    queries = _comparable(_read_query(path, settings), path)
    if len(queries.melodies) > MAX_QUERIES:
        raise InputError(
            f"{printable(str(path))}: found {len(queries.melodies):,} tunes, expected at most {MAX_QUERIES}. Split it"
        )
    collection = _comparable(read_tunes(against, without=path), against)
    is_take = queries.melodies[0].is_take
    index = TuneIndex.of([without_repeats(it) for it in collection.melodies] if is_take else collection.melodies)
    intervals = [interval_text(melody.pitch) for melody in index.melodies]
    answers = tuple(_answer(index, melody, intervals, n) for melody in queries.melodies)
    return SimilarTunes(answers, queries.refused, len(collection.melodies), collection.refused)


def write_json(found: SimilarTunes, path: Path) -> None:
    """Write everything but the notes of the melodies as JSON."""
    values = asdict(found, dict_factory=lambda pairs: {name: value for name, value in pairs if name != "melody"})
    write_text(path, json.dumps(values, indent=1, allow_nan=False) + "\n")


def _read_query(path: Path, settings: AudioSettings) -> ReadTunes:
    """Read the tunes of a file of notes, or the one of a recording."""
    if path.suffix.lower() in COMPANION_SUFFIXES.union(SUFFIXES):
        return read_tunes(path)
    from recsys.audio.sandbox import run_one  # noqa: PLC0415 - of the extra `audio`
    from recsys.matching.tunes.take import read_take  # noqa: PLC0415 - of the extras `audio` and `studio`

    take = run_one(read_take, path, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    return sorted_out([(take.name, take)])


def _comparable(read: ReadTunes, path: Path) -> ReadTunes:
    """Return what was read; raises InputError if nothing can be compared."""
    if not read.melodies:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(read.refused.items())[:3])
        raise InputError(f"{printable(str(path))}: no tune can be compared. {reasons or 'It has no file of notes'}")
    return read


def _answer(index: TuneIndex, melody: Melody, intervals: list[bytes], n: int) -> Answer:
    own = contour_of(melody)
    usual_length = float(np.median([len(other) for other in index.melodies]))
    matches = []
    for found in index.search(melody, n):
        other, line = index.melodies[found.row], index.lines[found.row]
        agreement = agreement_of(melody, other, (own, line), found.shift, intervals)
        phrase = phrase_names(melody, agreement.phrase)
        doubt = doubt_of(melody, other, usual_length) if found.expected <= USUAL else ""
        point = "" if doubt else _point(found, len(index.melodies))
        matches.append(Match(other.name, other, found, agreement, phrase, point, doubt))
    return Answer(melody.name, melody, tuple(matches))


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
