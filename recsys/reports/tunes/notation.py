"""
A phrase as notes on a staff, for an SVG drawing, and as text in ABC.

Every black key is written as a sharp, without a key signature. A phrase far above or below the staff is drawn in
another octave; the text has the true one.

Source: Walshaw, The ABC Music Standard 2.1 (2011).
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor, log2

import numpy as np

from recsys.matching.tunes.melody import Melody

LETTERS, IS_SHARP = "CCDDEFFGGAAB", (0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0)  # by pitch class
MOST_NOTES = 40  # drawn
MIDDLE = 71  # MIDI pitch of the middle line
SPACE, HALF = 10.0, 5.0  # between lines; between neighbouring notes of the scale [pixels]
TOP_LINE = 45.0  # place of the uppermost line [pixels]
LEFT, PER_NOTE = 44.0, 30.0  # [pixels]
STEM = 32.0  # [pixels]
LETTER_ORDER = "CDEFGAB"
TOP_STEP, BOTTOM_STEP = 38, 30  # F5 and E4, counted in notes of the scale from C0
UNIT = Fraction(1, 4)  # of the text: a sixteenth [quarter notes]
LARGEST_PART = 12  # of a unit: denominators of note lengths
NOTES_PER_LINE = 16


@dataclass(frozen=True)
class Head:
    """
    A drawn note.

    Attributes:
        x, y: Its centre [pixels].
        is_sharp, is_open, is_dotted: How it is drawn.
        stem_end: Where the stem ends; None for a whole note.
        flags: Heights of its flags.
        ledgers: Heights of its ledger lines.
    """

    x: float
    y: float
    is_sharp: bool
    is_open: bool
    is_dotted: bool
    stem_end: float | None
    flags: tuple[float, ...]
    ledgers: tuple[float, ...]


@dataclass(frozen=True)
class Notation:
    """
    A phrase.

    Attributes:
        abc: The phrase as ABC.
        names: Its notes in words.
        heads: The drawn notes.
        bar_lines: Places of bar lines [pixels].
        width: Width of the drawing [pixels].
        octaves: By how many octaves it sounds higher than it is drawn.
        n_left_out: Notes at its end that are not drawn.
    """

    abc: str
    names: str
    heads: tuple[Head, ...]
    bar_lines: tuple[float, ...]
    width: float
    octaves: int
    n_left_out: int


def notation(melody: Melody, notes: tuple[int, int]) -> Notation:
    """Write the notes [first, last + 1) of a melody; at least one."""
    part = slice(*notes)
    pitch, lengths, bar = melody.pitch[part], melody.iois[part], melody.bar[part]
    octaves = round((float(np.median(pitch)) - MIDDLE) / 12)
    drawn = zip((pitch - 12 * octaves)[:MOST_NOTES].tolist(), lengths.tolist(), strict=False)
    changes = np.flatnonzero(np.diff(bar[:MOST_NOTES])) + 1
    return Notation(
        abc=_abc(pitch.tolist(), lengths.tolist(), bar.tolist()),
        names=", ".join(_name(number) for number in pitch.tolist()),
        heads=tuple(_head(place, *note) for place, note in enumerate(drawn)),
        bar_lines=tuple(LEFT + PER_NOTE * (place - 0.5) - 3 for place in changes.tolist()),
        width=LEFT + PER_NOTE * min(len(pitch), MOST_NOTES),
        octaves=octaves,
        n_left_out=max(len(pitch) - MOST_NOTES, 0),
    )


def _name(pitch: int) -> str:
    return f"{LETTERS[pitch % 12]}{' sharp' if IS_SHARP[pitch % 12] else ''} {pitch // 12 - 1}"


def _head(place: int, pitch: int, length: float) -> Head:
    step = LETTER_ORDER.index(LETTERS[pitch % 12]) + 7 * (pitch // 12 - 1)
    y = TOP_LINE + HALF * (TOP_STEP - step)
    power = floor(log2(length) + 1e-6)
    direction = 1 if pitch >= MIDDLE else -1  # of the stem: downwards for high notes
    stem_end = y + direction * STEM
    return Head(
        x=LEFT + PER_NOTE * place,
        y=y,
        is_sharp=bool(IS_SHARP[pitch % 12]),
        is_open=power >= 1,
        is_dotted=length / 2**power >= 1.45,
        stem_end=None if power >= 2 else stem_end,
        flags=tuple(stem_end - direction * 7 * number for number in range(min(-power, 4))),
        ledgers=_ledgers(step),
    )


def _ledgers(step: int) -> tuple[float, ...]:
    above = range(TOP_STEP + 2, step + 1, 2)
    below = range(BOTTOM_STEP - 2, step - 1, -2)
    return tuple(TOP_LINE + HALF * (TOP_STEP - line) for line in (*above, *below))


def _abc(pitches: list[int], lengths: list[float], bars: list[int]) -> str:
    """Return notes as ABC; an accidental holds until the end of the bar."""
    words: list[str] = []
    in_bar: dict[str, int] = {}
    for place, (pitch, length) in enumerate(zip(pitches, lengths, strict=True)):
        if place and bars[place] != bars[place - 1]:
            words.append("|")
            in_bar = {}
        letter, sharp = _letter(pitch), IS_SHARP[pitch % 12]
        accidental = "" if in_bar.get(letter, 0) == sharp else ("=", "^")[sharp]
        in_bar[letter] = sharp
        words.append(f"{accidental}{letter}{_length(length)}")
    starts = [*range(0, len(words), NOTES_PER_LINE), len(words)]
    lines = [" ".join(words[first:last]) for first, last in pairwise(starts)]
    return "\n".join(["X:1", "L:1/16", "K:C", *lines])


def _letter(pitch: int) -> str:
    octave, letter = pitch // 12 - 6, LETTERS[pitch % 12]
    return letter.lower() + "'" * octave if octave >= 0 else letter + "," * (-octave - 1)


def _length(quarters: float) -> str:
    units = (Fraction(quarters).limit_denominator(LARGEST_PART * 4) / UNIT).limit_denominator(LARGEST_PART)
    return "" if units == 1 else str(units or Fraction(1, LARGEST_PART))
