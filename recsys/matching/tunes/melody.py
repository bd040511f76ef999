"""
Melodies as they are compared: one voice of notes in bars, and chords where the source has them.

Times are in quarter notes (crotchets). A melody comes from notation (`recsys.matching.tunes.reading`), or from anything
else that yields notes, such as a recorded voice (`recsys.matching.tunes.take`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.arrays import F64, I64
from recsys.errors import InputError
from recsys.synth.tune import Chord, Tune

EPSILON = 1e-3  # rounding of onsets [quarter notes]
MOST_BARS = 10_000  # of a tune without bar lines


@dataclass(frozen=True)
class Melody:
    """
    One voice of notes, in order of onset.

    Attributes:
        name: Name, distinct within a collection.
        onset, duration: Start and length of each note, shape (n,) [quarter notes].
        pitch: MIDI pitch of each note, shape (n,), 0..127.
        bar: Bar of each note, shape (n,); 1 is the first complete bar.
        chords: Chord symbols in order of onset.
        is_take: Whether it was recorded: times are in seconds, and `bar` is the second in which a note begins.
    """

    name: str
    onset: F64
    duration: F64
    pitch: I64
    bar: I64
    chords: tuple[Chord, ...] = ()
    is_take: bool = False

    def __len__(self) -> int:
        """Return the number of notes."""
        return len(self.pitch)

    @property
    def measure(self) -> str:
        """What `bar` counts, in words."""
        return "second" if self.is_take else "bar"

    @property
    def length(self) -> float:
        """End of the last note [quarter notes]."""
        return float((self.onset + self.duration).max(initial=0.0))

    @property
    def iois(self) -> F64:
        """Time from each onset to the next, of the last note to the end, shape (n,), at least 1e-6 [quarter notes]."""
        return np.asarray(np.maximum(np.diff(self.onset, append=self.length), 1e-6))


def melody_of(tune: Tune) -> Melody:
    """Return the melody of a notated tune; notes without length or beyond the range of MIDI are left out."""
    notes = [note for note in tune.notes if note.duration > 0 and 0 <= note.pitch <= 127]
    onset = np.array([note.onset for note in notes], float)
    lines = _bar_lines(tune)
    place = np.searchsorted(lines, onset + EPSILON) - 1  # the last bar line at or before each note; -1: none
    return Melody(
        name=tune.name,
        onset=onset,
        duration=np.array([note.duration for note in notes], float),
        pitch=np.array([note.pitch for note in notes], np.int64),
        bar=place.astype(np.int64) + 1,
        chords=tune.chords,
    )


def _bar_lines(tune: Tune) -> F64:
    """Return the onsets of bar lines, without lines within a bar, such as a repeat sign before a pickup."""
    if not tune.bar_lines:
        if tune.length > MOST_BARS * tune.bar:
            raise InputError(f"{tune.name}: found more than {MOST_BARS:,} bars and no bar line. Check its metre")
        return np.arange(0, tune.length, tune.bar)
    lines = np.unique(np.round(np.array(tune.bar_lines), 6))
    if not tune.pickup:
        lines = np.unique(np.append(lines, 0.0))
    kept: list[float] = []
    for place, line in enumerate(lines):
        after = lines[place + 1] if place + 1 < len(lines) else np.inf
        is_within = kept and line - kept[-1] < tune.bar - EPSILON and after - kept[-1] <= tune.bar + EPSILON
        if not is_within:
            kept.append(float(line))
    return np.array(kept)


def without_repeats(melody: Melody) -> Melody:
    """Return a melody in which successive notes of the same pitch are one."""
    first = np.flatnonzero(np.diff(melody.pitch, prepend=-1))
    last = np.append(first[1:], len(melody)) - 1
    duration = melody.onset[last] + melody.duration[last] - melody.onset[first]
    return replace(
        melody, onset=melody.onset[first], duration=duration, pitch=melody.pitch[first], bar=melody.bar[first]
    )


def without_overlap(onset: Sequence[float], end: Sequence[float], pitch: Sequence[int]) -> tuple[F64, F64, I64]:
    """
    Return the highest voice (skyline) of notes that may sound together.

    Of notes that begin together the highest is kept; a note that begins under a higher one that sounds on is left out,
    and a note ends where the next begins.

    Returns:
        Onset, duration and pitch of the notes that are kept, shapes (n,).
    """
    kept: list[tuple[float, float, int]] = []
    for start, stop, height in sorted(zip(onset, end, pitch, strict=True), key=lambda note: (note[0], -note[2])):
        if kept and start < kept[-1][1] - EPSILON:
            last_start, _, last_height = kept[-1]
            if height < last_height or start - last_start < EPSILON:
                continue
            kept[-1] = (last_start, start, last_height)
        kept.append((start, stop, height))
    columns = np.array(kept, float).reshape(-1, 3)
    return columns[:, 0], columns[:, 1] - columns[:, 0], columns[:, 2].astype(np.int64)
