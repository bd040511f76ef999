"""
Melodies as the model reads them: a pair (interval, length) per note, and what is known before the note is chosen.

A length is the time from a note's onset to the next, so rests belong to the note before them. Lengths are counted in
ticks, of which a crotchet has 24, and rounded to the nearest of LENGTHS. Beside the previous note, its scale degree and
the place in the bar, the model sees what followed the last time that the melody had the same notes: so it can
repeat motifs of any length without memorising them.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np

from recsys.arrays import I64
from recsys.synth.tune import SCALES, Tune

TICKS = 24  # of a crotchet
LENGTHS = (3, 4, 6, 8, 9, 12, 16, 18, 21, 24, 30, 32, 36, 42, 48, 60, 72, 84, 96, 108, 120, 144, 168, 192, 288, 384)
WIDEST = 14  # semitones; a wider interval counts as the widest
N_INTERVALS, N_LENGTHS = 2 * WIDEST + 1, len(LENGTHS)
METRES = ((4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (3, 8), (9, 8), (12, 8), (6, 4), (3, 2))
CONTEXTS = (1, 2, 3, 4, 6, 9, 12)  # numbers of notes by which a repetition is recognised
SMALLEST_PLACE, N_PLACES = 3, 64  # places in a bar are distinguished by this many ticks; later ones are the last
N_BARS = 4  # the bar's number is known modulo this
SIZES = (  # number of values of each feature, in the order of `Features`
    N_INTERVALS, N_LENGTHS, 12, N_PLACES, N_BARS, len(METRES) + 1, len(SCALES),
    N_INTERVALS + 1, N_LENGTHS + 1, len(CONTEXTS) + 1,
)  # fmt: skip


class Token(NamedTuple):
    """A note: interval from the previous note, 0..N_INTERVALS - 1, where WIDEST is a repeat; place in LENGTHS."""

    interval: int
    length: int


FIRST = Token(WIDEST, LENGTHS.index(24))  # stands for what precedes a melody


def length_token(ticks: float) -> int:
    """Return the place in LENGTHS of the nearest length, by ratio."""
    return int(np.abs(np.log(np.array(LENGTHS) / max(ticks, 1.0))).argmin())


def interval_token(semitones: int) -> int:
    """Return the token of an interval."""
    return int(np.clip(semitones, -WIDEST, WIDEST)) + WIDEST


@dataclass
class TokenLine:
    """
    A melody while it is read or written, note by note.

    Attributes:
        metre: Upper and lower number of the time signature.
        tonic, mode: The key.
        pickup: Length of the incomplete bar at the beginning [ticks].
        tokens: The notes so far.
        pitch: Pitch of the last note (MIDI).
        now: End of the last note [ticks].
    """

    metre: tuple[int, int]
    tonic: int
    mode: str
    pickup: int = 0
    tokens: list[Token] = field(default_factory=list)
    pitch: int = 60
    now: int = 0
    _followed: dict[tuple[Token, ...], int] = field(default_factory=dict)  # what stood before a note -> its place

    @classmethod
    def like(cls, tune: Tune) -> Self:
        """Return an empty line in the metre and key of a tune."""
        return cls(tune.metre, tune.tonic, tune.mode, round(tune.pickup * TICKS))

    @property
    def bar(self) -> int:
        """Length of a bar [ticks]."""
        return self.metre[0] * 4 * TICKS // self.metre[1]

    @property
    def place(self) -> int:
        """Place in the bar of the next note [ticks]."""
        return (self.now - self.pickup) % self.bar

    def add(self, pitch: int, length: int) -> None:
        """Add a note: its pitch (MIDI), and its length [ticks]."""
        interval = interval_token(pitch - self.pitch) if self.tokens else FIRST.interval
        for n in CONTEXTS:
            if n <= len(self.tokens):
                self._followed[tuple(self.tokens[-n:])] = len(self.tokens)
        self.tokens.append(Token(interval, length_token(length)))
        self.pitch = pitch
        self.now += length

    def forget(self) -> None:
        """Forget what followed which notes, so that what comes next repeats none of it on purpose."""
        self._followed.clear()

    def features(self) -> list[int]:
        """Return what is known before the next note is chosen: a value below each of SIZES."""
        last = self.tokens[-1] if self.tokens else FIRST
        metre = METRES.index(self.metre) if self.metre in METRES else len(METRES)
        place = min(self.place // SMALLEST_PLACE, N_PLACES - 1)
        bar = (self.now - self.pickup) // self.bar % N_BARS
        degree = (self.pitch - self.tonic) % 12
        own = [last.interval, last.length, degree, place, bar, metre, list(SCALES).index(self.mode)]
        return own + self._repetition()

    def _repetition(self) -> list[int]:
        """Return the token that followed the longest run of notes that has been before, and how long the run is."""
        for rank in range(len(CONTEXTS), 0, -1):
            n = CONTEXTS[rank - 1]
            before = self._followed.get(tuple(self.tokens[-n:])) if n <= len(self.tokens) else None
            if before is not None:
                return [*self.tokens[before], rank]
        return [N_INTERVALS, N_LENGTHS, 0]


class Encoded(NamedTuple):
    """
    A melody for training: features of every note but the first, (n - 1, 10), and its tokens, (n - 1, 2).

    The first note is given, because it has no interval.
    """

    features: I64
    tokens: I64


def lengths_of(tune: Tune) -> list[int]:
    """Return the time from each onset to the next, of the last note its own length [ticks]."""
    onsets = [round(note.onset * TICKS) for note in tune.notes]
    end = round((tune.notes[-1].onset + tune.notes[-1].duration) * TICKS)
    return [max(1, after - onset) for onset, after in pairwise([*onsets, end])]


def line_of(tune: Tune) -> TokenLine:
    """Return the line of a whole tune."""
    line = TokenLine.like(tune)
    for note, length in zip(tune.notes, lengths_of(tune), strict=True):
        line.add(note.pitch, length)
    return line


def encoded(tune: Tune) -> Encoded:
    """Return a tune for training."""
    line, features = TokenLine.like(tune), []
    for note, length in zip(tune.notes, lengths_of(tune), strict=True):
        features.append(line.features())
        line.add(note.pitch, length)
    return Encoded(np.array(features[1:], np.int64).reshape(-1, len(SIZES)), np.array(line.tokens[1:]).reshape(-1, 2))
