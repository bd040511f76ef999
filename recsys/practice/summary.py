"""A take in figures and words: scores with intervals, key and tuning, tempo, range, and the bars to practise."""

from collections import Counter
from dataclasses import dataclass
from math import isnan, sqrt

import numpy as np
from typing_extensions import override

from recsys.matching.tunes.melody import Melody
from recsys.practice.judge import OUT_CENTS, JudgedNote, Judgement

N_BARS = 3  # to practise
WEIGHTS = {"wrong": 3.0, "missing": 3.0, "extra": 2.0, "late": 2.0, "early": 2.0, "sharp": 1.0, "flat": 1.0}
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
Z = 1.96  # of an interval of 95 %
HELD_S, HELD_SHARE = 0.15, 0.35  # a note differs in length from both on [s, share of the written length]
ALIKE = 1.5  # lengths within this factor are of one kind


@dataclass(frozen=True)
class Score:
    """A share of notes, and its interval of 95 % (Wilson); NaN without any note."""

    n_good: int
    n: int

    @property
    def share(self) -> float:
        """The share, 0..1."""
        return self.n_good / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Its interval, within 0..1."""
        if not self.n:
            return float("nan"), float("nan")
        centre = (self.share + Z * Z / (2 * self.n)) / (1 + Z * Z / self.n)
        half = Z * sqrt(self.share * (1 - self.share) / self.n + Z * Z / (4 * self.n**2)) / (1 + Z * Z / self.n)
        return max(0.0, centre - half), min(1.0, centre + half)

    @override
    def __str__(self) -> str:
        """Say it in words."""
        if not self.n:
            return "unknown: no note could be judged"
        low, high = self.interval
        return f"{self.share:.0%} ({low:.0%} to {high:.0%}) of {self.n:,} notes"


@dataclass(frozen=True)
class Summary:
    """
    A take in figures.

    Attributes:
        pitch: Notes in tune, of those whose pitch is known.
        rhythm: Notes in time, of those whose beginning is clear.
        completeness: Notes played, of those that are not left open.
        n_unsure: Notes of which pitch or time is left open.
        tuning: Key, octave and tuning of the take in words.
        tempo: Tempo and its steadiness in words.
        compass: Range in words.
        bars: The bars to practise, and why.
    """

    pitch: Score
    rhythm: Score
    completeness: Score
    n_unsure: int
    tuning: str
    tempo: str
    compass: str
    bars: tuple[tuple[int, str], ...]

    @property
    def shares(self) -> tuple[float | None, float | None, float | None]:
        """Scores for pitch, rhythm and completeness, 0..1; None: no note was judged."""
        pitch, rhythm, completeness = (
            it.share if it.n else None for it in (self.pitch, self.rhythm, self.completeness)
        )
        return pitch, rhythm, completeness


def summary_of(melody: Melody, judged: Judgement) -> Summary:
    """Sum up a judged take of a melody."""
    notes = judged.notes
    heard = [note for note in notes if note.verdict in {"right", "wrong"}]
    with_pitch = [note for note in heard if note.verdict == "wrong" or not isnan(note.cents)]
    with_time = [note for note in heard if not isnan(note.late_s)]
    decided = [note for note in notes if note.verdict != "unsure"]
    return Summary(
        Score(sum(note.verdict == "right" and abs(note.cents) <= OUT_CENTS for note in with_pitch), len(with_pitch)),
        Score(sum(not note.is_off_time for note in with_time), len(with_time)),
        Score(sum(note.verdict != "missing" for note in decided), len(decided)),
        sum(is_open(note) for note in notes),
        tuning_of(judged.shift),
        _tempo(melody, judged),
        _compass(judged),
        _bars(judged, melody.measure),
    )


def is_open(note: JudgedNote) -> bool:
    """Return whether pitch or time of a note is left open."""
    return note.verdict == "unsure" or (note.verdict != "missing" and isnan(note.late_s))


def faults(note: JudgedNote) -> list[str]:
    """Return what is wrong with a note, of the keys of `WEIGHTS`."""
    found = [note.verdict] if note.verdict in {"wrong", "missing"} else []
    if note.is_off_time:
        found.append("late" if note.late_s > 0 else "early")
    if note.verdict == "right" and abs(note.cents) > OUT_CENTS:
        found.append("sharp" if note.cents > 0 else "flat")
    return found


def lengths_of(judged: Judgement) -> list[str]:
    """
    Return for each note "short" or "long" if it is held much shorter or longer than expected; empty otherwise.

    What is written is expected, or what the take's notes of about that length are mostly held: staccato is no error.
    """
    due_s = np.array([note.due_end_s - note.due_s for note in judged.notes])
    held_s = np.array([_held_s(note) for note in judged.notes])
    known = ~np.isnan(held_s)
    usual = np.ones(len(due_s))
    for place in np.flatnonzero(known):
        alike = known & (np.abs(np.log(np.maximum(due_s, 1e-6) / due_s[place])) < np.log(ALIKE))
        usual[place] = min(1.0, float(np.median(held_s[alike] / due_s[alike])))
    off_s = held_s - due_s
    least_s = np.maximum(HELD_S, HELD_SHARE * due_s)
    is_short = held_s - usual * due_s <= -least_s
    return [str(it) for it in np.where(off_s >= least_s, "long", np.where(is_short, "short", ""))]


def _held_s(note: JudgedNote) -> float:
    """Return how long a right note is held [s]; NaN for others."""
    is_right = note.heard is not None and note.verdict == "right" and note.due_end_s > note.due_s
    return note.heard.end_s - note.heard.start_s if note.heard and is_right else float("nan")


def note_name(pitch: float) -> str:
    """
    Return the name of a MIDI pitch.

    >>> note_name(69)
    'A4'
    """
    octave, place = divmod(round(pitch), 12)
    return f"{NAMES[place]}{octave - 1}"


def tuning_of(shift: float) -> str:
    """
    Say in which key, octave and tuning a take is.

    >>> tuning_of(-12.0)
    'an octave lower than written; A4 = 440 Hz'
    >>> tuning_of(2.08)
    '2 semitones higher than written; A4 = 442 Hz, 8 cents sharp'
    """
    steps = round(shift)
    cents = round(100 * (shift - steps))
    hertz = 440 * 2 ** (cents / 1200)
    off = f", {abs(cents)} cents {'sharp' if cents > 0 else 'flat'}" if cents else ""
    return f"{_interval(steps)}; A4 = {hertz:.0f} Hz{off}"


def _interval(steps: int) -> str:
    if not steps:
        return "in the key that is written"
    octaves, rest = divmod(abs(steps), 12)
    parts = [
        *([f"{octaves} octaves" if octaves > 1 else "an octave"] if octaves else []),
        *([f"{rest} semitone{'s' if rest > 1 else ''}"] if rest else []),
    ]
    return f"{' and '.join(parts)} {'higher' if steps > 0 else 'lower'} than written"


def _tempo(melody: Melody, judged: Judgement) -> str:
    due_s = np.array([note.due_s for note in judged.notes])
    beats = np.diff(melody.onset)
    local_s = (np.diff(due_s) / np.maximum(beats, 1e-6))[beats > 0]
    if not len(local_s) or not np.median(local_s) > 0:
        return "unknown"
    middle_s = float(np.median(local_s))
    varies = float(np.std(local_s / middle_s))
    speed = (
        f"{1 / middle_s:.0%} of the reference's" if melody.is_take else f"{60 / middle_s:.0f} quarter notes a minute"
    )
    return f"{speed}, varying by {varies:.0%}; notes begin within about {judged.spread_s * 1000:.0f} ms of it"


def _compass(judged: Judgement) -> str:
    pitches = [note.heard.midi for note in judged.notes if note.heard and note.verdict in {"right", "wrong"}]
    return f"{note_name(min(pitches))} to {note_name(max(pitches))}" if pitches else "unknown"


def _bars(judged: Judgement, measure: str) -> tuple[tuple[int, str], ...]:
    """Return the bars with the gravest faults, and these in words."""
    found: dict[int, Counter[str]] = {}
    for note in judged.notes:
        found.setdefault(note.bar, Counter()).update(faults(note))
    for extra in judged.extra:
        found.setdefault(extra.bar, Counter()).update(["extra"])
    weight = {bar: sum(WEIGHTS[kind] * n for kind, n in kinds.items()) for bar, kinds in found.items()}
    worst = sorted((bar for bar in found if weight[bar]), key=lambda bar: (-weight[bar], bar))[:N_BARS]
    return tuple(
        (bar, f"{measure} {bar}: " + ", ".join(f"{n} {kind}" for kind, n in found[bar].items())) for bar in worst
    )
