"""
Where and how two melodies agree: aligned spans in bars, transposition, tempo, rhythm, harmony, and the longest phrase.

The alignment is the one by pitch (`recsys.matching.tunes.alignment`). How many other melodies have the phrase, in any
key, says what it is worth: one that many tunes share is weak evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.arrays import I64
from recsys.matching.tunes.alignment import Contour, align_pair
from recsys.matching.tunes.melody import Melody
from recsys.synth.tune import Chord

LONGEST_GAP = 4  # notes without partner within a span
LEAST_SPAN = 6  # aligned notes of a span
SAME_LENGTH = 0.1  # log2 of duration ratios that count as the same rhythm
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Span:
    """
    Bars of the query, and the bars of the other melody that they are aligned with.

    Attributes:
        first_bar, last_bar: Bars of the query, `last_bar` included.
        other_first_bar, other_last_bar: The same of the other melody.
        notes: Its notes in the query, [first, last + 1).
        n_notes: How many of them are aligned.
    """

    first_bar: int
    last_bar: int
    other_first_bar: int
    other_last_bar: int
    notes: tuple[int, int]
    n_notes: int


@dataclass(frozen=True)
class Agreement:
    """
    Where and how two melodies agree.

    Attributes:
        spans: Spans in which they agree, in order of time.
        partners: Notes that agree: place in the query, place in the other melody, in order of time.
        aligned_share: Share of the query's notes that have a partner of the same pitch, after transposition.
        transposition: By how much the other melody is higher [semitones].
        tempo_ratio: Length of the other melody's notes divided by that of the query's: 2 if notated in double values.
        rhythm_share: Share of aligned notes whose lengths have this ratio.
        harmony_share: Share of the aligned notes, where both have chord symbols, under the same chord; None without.
        phrase: Notes of the longest phrase without a difference in pitch: places in the query, [first, last + 1).
        other_phrase: The same in the other melody.
        phrase_in: Number of melodies of the collection that have the phrase, among them this one.
    """

    spans: tuple[Span, ...]
    partners: tuple[tuple[int, int], ...]
    aligned_share: float
    transposition: int
    tempo_ratio: float
    rhythm_share: float
    harmony_share: float | None
    phrase: tuple[int, int]
    other_phrase: tuple[int, int]
    phrase_in: int


def agreement_of(
    query: Melody, other: Melody, lines: tuple[Contour, Contour], shift: int, intervals: Sequence[bytes]
) -> Agreement:
    """
    Return where and how two melodies agree.

    Args:
        query: A melody.
        other: The melody that it is compared with.
        lines: The same, as they are aligned.
        shift: Transposition between the lines [semitones].
        intervals: `interval_text` of each melody of the collection.
    """
    own, others = lines
    _, partners = align_pair(own, others, shift, with_rhythm=False)
    pairs = np.array(partners, np.int64).reshape(-1, 2)
    transposition = shift + others.median - own.median
    same = pairs[other.pitch[pairs[:, 1]] - query.pitch[pairs[:, 0]] == transposition]
    ratios = np.log2(other.iois[same[:, 1]] / query.iois[same[:, 0]])
    tempo = float(np.median(ratios)) if len(ratios) else 0.0
    (first, last), (other_first, other_last) = _longest_phrase(same)
    phrase = interval_text(query.pitch[first:last])
    return Agreement(
        spans=_spans(query, other, same),
        partners=tuple((own, others) for own, others in same.tolist()),
        aligned_share=len(same) / len(query),
        transposition=transposition,
        tempo_ratio=2**tempo,
        rhythm_share=float((np.abs(ratios - tempo) <= SAME_LENGTH).mean()) if len(ratios) else 0.0,
        harmony_share=_harmony_share(query, other, same, transposition),
        phrase=(first, last),
        other_phrase=(other_first, other_last),
        phrase_in=sum(phrase in text for text in intervals),
    )


def interval_text(pitch: I64) -> bytes:
    """Return the intervals between successive pitches as bytes, in which a phrase can be searched in any key."""
    return (np.diff(pitch) % 256).astype(np.uint8).tobytes()


def phrase_names(melody: Melody, places: tuple[int, int]) -> str:
    """Return the notes of a phrase by name and length in quarter notes, such as 'D5:1 E5:0.5'."""
    first, last = places
    lengths = melody.iois[first:last]
    return " ".join(
        f"{NAMES[pitch % 12]}{pitch // 12 - 1}:{round(float(length), 2):g}"
        for pitch, length in zip(melody.pitch[first:last].tolist(), lengths, strict=True)
    )


def _spans(query: Melody, other: Melody, same: I64) -> tuple[Span, ...]:
    breaks = np.flatnonzero((np.diff(same, axis=0) > LONGEST_GAP + 1).any(axis=1)) + 1
    return tuple(_span(query, other, part) for part in np.split(same, breaks) if len(part) >= LEAST_SPAN)


def _span(query: Melody, other: Melody, pairs: I64) -> Span:
    first_bar, last_bar = query.bar[pairs[[0, -1], 0]].tolist()
    other_first_bar, other_last_bar = other.bar[pairs[[0, -1], 1]].tolist()
    notes = (int(pairs[0, 0]), int(pairs[-1, 0]) + 1)
    return Span(first_bar, last_bar, other_first_bar, other_last_bar, notes, len(pairs))


def _longest_phrase(same: I64) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the longest run of partners that follow each other in both melodies."""
    if not len(same):
        return (0, 0), (0, 0)
    breaks = np.flatnonzero((np.diff(same, axis=0) != 1).any(axis=1)) + 1
    longest = max(np.split(same, breaks), key=len)
    (first, other_first), n = longest[0].tolist(), len(longest)
    return (first, first + n), (other_first, other_first + n)


def _harmony_share(query: Melody, other: Melody, same: I64, transposition: int) -> float | None:
    pairs = [
        (own, others)
        for i, j in same.tolist()
        if (own := _chord_at(query, i)) is not None and (others := _chord_at(other, j)) is not None
    ]
    if not pairs:
        return None
    agree = [
        (own.root + transposition - others.root) % 12 == 0 and own.is_minor == others.is_minor for own, others in pairs
    ]
    return sum(agree) / len(agree)


def _chord_at(melody: Melody, place: int) -> Chord | None:
    """Return the chord that sounds under a note: the last symbol at or before it."""
    before = [chord for chord in melody.chords if chord.onset <= melody.onset[place] + 1e-3]
    return before[-1] if before else None
