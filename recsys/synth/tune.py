"""
Tunes: melodies with metre, key and chords, read from ABC notation or composed here at random.

Times are in crotchets. The beat is the crotchet, or the dotted crotchet in compound metres (6/8, 9/8, 12/8).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
METRES = (
    (4, 4),
    (4, 4),
    (3, 4),
    (2, 4),
    (6, 8),
)  # of composed tunes; a metre that is listed twice is drawn twice as often
COMPOSED_MODES = ("major", "major", "minor", "minor", "dorian", "mixolydian")
RHYTHMS = {  # note lengths of a bar by its length [crotchets]
    4.0: ((1, 1, 1, 1), (2, 1, 1), (1, 0.5, 0.5, 1, 1), (1.5, 0.5, 1, 1), (0.5, 0.5, 1, 0.5, 0.5, 1), (2, 2)),
    3.0: ((1, 1, 1), (2, 1), (1, 0.5, 0.5, 1), (1.5, 0.5, 1), (0.5, 0.5, 1, 1)),
    2.0: ((1, 1), (0.5, 0.5, 1), (1, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)),
    1.5: ((1, 0.5), (0.5, 0.5, 0.5), (1.5,)),  # of a beat in 6/8
}
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 0, 4), (0, 5, 1, 4))  # scale degrees, one per bar


class Note(NamedTuple):
    """A note: onset and duration [crotchets], MIDI pitch."""

    onset: float
    duration: float
    pitch: int


class Chord(NamedTuple):
    """
    A chord: onset [crotchets], pitch class of its root, whether its third is minor, and its seventh.

    The seventh is 10 or 11 semitones above the root; 0: a triad.
    """

    onset: float
    root: int
    is_minor: bool
    seventh: int = 0


@dataclass(frozen=True)
class Tune:
    """
    A melody.

    Attributes:
        name: Name, distinct within a collection.
        notes: Notes in order of onset, without overlap.
        metre: Upper and lower number of the time signature, such as (6, 8).
        tonic: Pitch class of the key, 0 = C.
        mode: A key of `SCALES`.
        chords: Chords in order of onset; empty if the tune has none.
        bar_lines: Onsets of the bar lines that are notated [crotchets]; empty where bars begin with the first note.
    """

    name: str
    notes: tuple[Note, ...]
    metre: tuple[int, int]
    tonic: int
    mode: str
    chords: tuple[Chord, ...] = ()
    bar_lines: tuple[float, ...] = ()

    @property
    def pickup(self) -> float:
        """Length of the incomplete bar at the beginning [crotchets]; 0 if the first bar is complete."""
        return self.bar_lines[0] if self.bar_lines and 0 < self.bar_lines[0] < self.bar - 1e-6 else 0.0

    @property
    def has_regular_bars(self) -> bool:
        """
        Whether the notated bar lines lie one bar apart, so that the beat and the bar of every note are known.

        A single line between them is allowed: a repeat sign before a pickup, and the end of the last bar.
        """
        bars = (np.unique(self.bar_lines) - self.pickup) / self.bar
        is_off = np.append(np.abs(bars - np.round(bars)) > 1e-3, False)
        return not (is_off[:-1] & is_off[1:]).any()

    @property
    def is_compound(self) -> bool:
        """Whether the metre is compound: a beat has three parts."""
        return self.metre[1] == 8 and self.metre[0] % 3 == 0

    @property
    def beat(self) -> float:
        """Length of a beat [crotchets]."""
        return 1.5 if self.is_compound else 4 / self.metre[1]

    @property
    def bar(self) -> float:
        """Length of a bar [crotchets]."""
        return self.metre[0] * 4 / self.metre[1]

    @property
    def length(self) -> float:
        """End of the last note [crotchets]."""
        return max((note.onset + note.duration for note in self.notes), default=0.0)

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor, as in dorian and phrygian."""
        return SCALES[self.mode][2] == 3


def compose(name: str, rng: np.random.Generator, *, mode: str | None = None) -> Tune:
    """
    Compose a tune of sixteen bars in the form AABA, with a progression of four chords per phrase.

    Args:
        name: Name of the tune.
        rng: Random generator.
        mode: A key of `SCALES`; None draws one at random.
    """
    chosen = mode or str(rng.choice(COMPOSED_MODES))
    metre = METRES[rng.integers(len(METRES))]
    tune = Tune(name, (), metre, int(rng.integers(12)), chosen)
    first, second = (_phrase(tune, rng, PROGRESSIONS[rng.integers(len(PROGRESSIONS))]) for _ in range(2))
    parts = [first, _ending(first, tune), second, _ending(first, tune)]
    notes = tuple(
        Note(note.onset + number * 4 * tune.bar, note.duration, note.pitch)
        for number, part in enumerate(parts)
        for note in part
    )
    return Tune(name, notes, metre, tune.tonic, chosen)


def _phrase(tune: Tune, rng: np.random.Generator, progression: tuple[int, ...]) -> list[Note]:
    """Compose four bars: chord notes on beats, scale steps between them, each mostly near the previous note."""
    notes: list[Note] = []
    degree = int(rng.choice([0, 2, 4]))
    for bar, root in enumerate(progression):
        onset = bar * tune.bar
        for duration in _bar_rhythm(tune, rng):
            on_beat = abs(onset / tune.beat - round(onset / tune.beat)) < 1e-6
            degree = _next_degree(degree, root, on_beat, rng)
            notes.append(Note(onset, float(duration), _pitch(tune, degree)))
            onset += duration
    return notes


def _bar_rhythm(tune: Tune, rng: np.random.Generator) -> list[float]:
    units = [tune.beat] * round(tune.bar / tune.beat) if tune.is_compound else [tune.bar]
    return [part for unit in units for part in RHYTHMS[unit][rng.integers(len(RHYTHMS[unit]))]]


def _next_degree(degree: int, root: int, on_beat: bool, rng: np.random.Generator) -> int:
    if not on_beat:
        return int(np.clip(degree + rng.choice([-1, 1]), -3, 9))
    near = [step for step in range(degree - 4, degree + 5) if (step - root) % 7 in {0, 2, 4} and -3 <= step <= 9]
    weights = np.array([0.5 ** abs(step - degree) + 0.05 for step in near])
    return int(rng.choice(near, p=weights / weights.sum()))


def _pitch(tune: Tune, degree: int) -> int:
    octave, step = divmod(degree, 7)
    return 60 + (tune.tonic + 3) % 12 - 3 + 12 * octave + SCALES[tune.mode][step]


def _ending(phrase: list[Note], tune: Tune) -> list[Note]:
    """Replace the last bar of a phrase by one long tonic."""
    last_bar = 3 * tune.bar
    kept = [note for note in phrase if note.onset < last_bar - 1e-6]
    return [*kept, Note(last_bar, tune.bar, _pitch(tune, 0))]
