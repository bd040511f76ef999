"""What a writer may ask for: key, metre, length, range, chords and mood; and how far a melody does what was asked."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np

from recsys.compose.tokens import LENGTHS, TICKS
from recsys.errors import InputError
from recsys.synth.tune import SCALES, Chord, Tune

SMALLEST = 6  # ticks: a semiquaver, the shortest note that is written
UNITS = (2, 4, 8, 16)  # lower numbers of time signatures
LONGEST_BAR, MOST_BARS = 8.0, 64
NARROWEST = 12  # semitones of a range: each scale and chord has notes within an octave
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)


class Knobs(NamedTuple):
    """
    How the sampler leans, each -1..1; 0 is what the model learnt.

    Attributes:
        density: Short notes (1) or long ones (-1).
        leaps: Wide intervals (1) or steps (-1).
        freedom: Unlikely notes (1) or the likeliest ones (-1).
    """

    density: float = 0.0
    leaps: float = 0.0
    freedom: float = 0.0


class Mood(NamedTuple):
    """Tempo [beats/min], modes that fit, the likeliest first, and knobs."""

    tempo_bpm: float
    modes: tuple[str, ...]
    knobs: Knobs


MOODS = {
    "happy": Mood(126, ("major", "mixolydian", "lydian"), Knobs(0.4, 0.1, 0.0)),
    "calm": Mood(76, ("major", "lydian", "dorian"), Knobs(-0.6, -0.5, -0.4)),
    "sad": Mood(68, ("minor", "dorian", "phrygian"), Knobs(-0.5, -0.3, -0.2)),
    "tense": Mood(112, ("phrygian", "minor", "dorian"), Knobs(0.2, 0.6, 0.5)),
    "energetic": Mood(148, ("mixolydian", "minor", "major"), Knobs(0.8, 0.3, 0.2)),
}


@dataclass(frozen=True, kw_only=True)
class Controls:
    """
    What a melody must be.

    Attributes:
        tonic, mode: The key: pitch class, 0 = C, and a key of `SCALES`.
        metre: Upper and lower number of the time signature.
        n_bars: Length, 1..64 bars.
        lowest, highest: Range, MIDI pitches, at least an octave.
        chords: Chords, one per bar, in turn; strong beats have their notes. Empty: any.
        form: A letter per section of equal length, such as AABA: sections of a letter are equal but for their last bar,
            and where the chords differ. Empty: none.
        knobs: How the sampler leans.
    """

    tonic: int = 0
    mode: str = "major"
    metre: tuple[int, int] = (4, 4)
    n_bars: int = 8
    lowest: int = 57
    highest: int = 81
    chords: tuple[Chord, ...] = ()
    form: str = ""
    knobs: Knobs = field(default_factory=Knobs)

    def __post_init__(self) -> None:
        upper, lower = self.metre
        if lower not in UNITS or not 0 < 4 * upper / lower <= LONGEST_BAR:
            raise InputError(f"found the metre {upper}/{lower}, expected one such as 4/4 or 6/8, at most 8 crotchets")
        if not 1 <= self.n_bars <= MOST_BARS:
            raise InputError(f"found {self.n_bars} bars, expected 1 to {MOST_BARS}")
        if not 0 <= self.lowest <= self.highest - NARROWEST <= 127 - NARROWEST:
            raise InputError(
                f"found a range from {self.lowest} to {self.highest}, expected MIDI pitches in 0..127, an octave "
                "(12) or more apart, such as C4-C6"
            )
        if self.form and not (self.form.isalpha() and self.n_bars % len(self.form) == 0 and self.section >= 2):
            raise InputError(
                f"found the form {self.form!r} of {self.n_bars} bars, expected letters such as AABA, and equally many "
                "bars for each, two or more: 8, 12 or 16 of AABA"
            )

    @classmethod
    def of(cls, tune: Tune, n_bars: int) -> Self:
        """Return the controls that keep the key, metre, range (at least an octave) and chords of a tune."""
        pitches = [note.pitch for note in tune.notes]
        middle = int(np.clip((min(pitches) + max(pitches)) // 2, NARROWEST // 2, 127 - NARROWEST // 2))
        return cls(
            tonic=tune.tonic,
            mode=tune.mode,
            metre=tune.metre,
            n_bars=n_bars,
            lowest=min(*pitches, middle - NARROWEST // 2),
            highest=max(*pitches, middle + NARROWEST // 2),
            chords=_chord_per_bar(tune),
        )

    @property
    def frame(self) -> Tune:
        """A tune without notes in this metre and key."""
        return Tune("", (), self.metre, self.tonic, self.mode)

    @property
    def bar(self) -> int:
        """Length of a bar [ticks]."""
        return round(self.frame.bar * TICKS)

    @property
    def section(self) -> int:
        """Length of each section of the form [bars]."""
        return self.n_bars // max(1, len(self.form))

    def repeated_bar(self, bar: int) -> int | None:
        """Return the earlier bar whose notes a bar has by the form; None if it is written anew."""
        number, place = divmod(bar, self.section)
        earlier = self.form.find(self.form[number]) * self.section + place if self.form else bar
        is_anew = earlier == bar or place == self.section - 1 or self._chord(earlier) != self._chord(bar)
        return None if is_anew else earlier

    def is_contrast(self, bar: int) -> bool:
        """Return whether a bar should differ from those before: the first of a new letter, the last of a repeat."""
        number, place = divmod(bar, self.section)
        is_new = bool(self.form) and self.form.find(self.form[number]) == number
        return bool(self.form) and number > 0 and place == (0 if is_new else self.section - 1)

    def _chord(self, bar: int) -> Chord | None:
        return self.chords[bar % len(self.chords)] if self.chords else None

    @property
    def last_beat(self) -> int:
        """Where in the last bar the last note begins at the latest [ticks]: a beat, as near the middle as possible."""
        beat = round(self.frame.beat * TICKS)
        start = -(-self.bar // (2 * beat)) * beat
        return start if start < self.bar else 0

    def chords_from(self, start: float) -> tuple[Chord, ...]:
        """Return the chords of all bars, the first of which begins at `start` [crotchets]; empty if none were asked."""
        bars = range(self.n_bars if self.chords else 0)
        return tuple(self.chords[bar % len(self.chords)]._replace(onset=start + bar * self.frame.bar) for bar in bars)

    def is_strong(self, place: int) -> bool:
        """Return whether a place in the bar [ticks] is a strong beat: the first, in bars of four beats the third."""
        n_beats = round(self.frame.bar / self.frame.beat)
        return place == 0 or (n_beats % 4 == 0 and 2 * place == self.bar)

    def pitch_classes(self, bar: int, place: int) -> frozenset[int]:
        """Return the pitch classes that a note may have: at its bar, from 0 on, and its place [ticks]."""
        scale = frozenset((self.tonic + step) % 12 for step in SCALES[self.mode])
        if bar == self.n_bars - 1 and place == self.last_beat:
            return self._last(bar)
        return self._of_chord(bar) if self.chords and self.is_strong(place) else scale

    def _of_chord(self, bar: int) -> frozenset[int]:
        return chord_notes(self.chords[bar % len(self.chords)])

    def _last(self, bar: int) -> frozenset[int]:
        """Return the tonic; where the last chord lacks it, the chord's notes."""
        tonic = frozenset((self.tonic,))
        return tonic if not self.chords or tonic <= self._of_chord(bar) else self._of_chord(bar)

    def lengths(self, bar: int, place: int, pitch: int) -> frozenset[int]:
        """Return the lengths that a note may have [ticks]: no note crosses a bar line or the last note's beat."""
        rest = self.bar - place
        if bar < self.n_bars - 1:
            return _lengths_up_to(rest)
        if place == self.last_beat:
            return frozenset((rest,))
        own = _lengths_up_to(self.last_beat - place)
        return own | ({rest} & set(LENGTHS) if pitch % 12 in self._last(bar) else set())


def _lengths_up_to(rest: int) -> frozenset[int]:
    return frozenset(length for length in LENGTHS if length <= rest and length % SMALLEST == 0)


def chord_notes(chord: Chord) -> frozenset[int]:
    """Return the pitch classes of a chord's triad."""
    return frozenset((chord.root + step) % 12 for step in (MINOR if chord.is_minor else MAJOR))


def _chord_per_bar(tune: Tune) -> tuple[Chord, ...]:
    """Return the chord in force at each bar line of a tune; empty if it has none."""
    if not tune.chords:
        return ()
    n_bars = max(1, int(np.ceil((tune.length - tune.pickup) / tune.bar - 1e-6)))
    starts = [tune.pickup + bar * tune.bar for bar in range(n_bars)]
    return tuple(max((c for c in tune.chords if c.onset <= start + 1e-3), default=tune.chords[0]) for start in starts)


@dataclass(frozen=True)
class Obeyed:
    """
    Shares of notes or bars that are as asked, 0..1 each.

    Attributes:
        key: Notes of the scale, or of the chord at a strong beat; and the last note ends the melody as it should.
        metre: Bars that are filled exactly.
        length: 1 if there are as many bars as asked, else 0.
        range: Notes within the range.
        chords: Notes at strong beats that belong to the chord; 1 where no chords were asked.
        form: Bars with the notes of an earlier one where the form asks for it; 1 where it does not.
    """

    key: float
    metre: float
    length: float
    range: float
    chords: float
    form: float


def obeyed(tune: Tune, controls: Controls) -> Obeyed:
    """Return how far a melody without pickup is as asked; read from its notes, not from how they were chosen."""
    scale = {(controls.tonic + step) % 12 for step in SCALES[controls.mode]}
    strong = [note for note in tune.notes if _strong(note.onset, controls)] if controls.chords else []
    in_chord = [note for note in strong if note.pitch % 12 in chord_notes(_chord_at(controls, note.onset, tune.bar))]
    in_key = [note.pitch % 12 in scale or note in strong for note in tune.notes]
    bars = np.arange(1, controls.n_bars + 1) * tune.bar
    ends = [note.onset + note.duration for note in tune.notes]
    filled = [any(abs(end - bar) < 1e-6 for end in ends) for bar in bars]
    return Obeyed(
        key=float(np.mean(in_key)),
        metre=float(np.mean(filled)),
        length=float(abs(tune.length - bars[-1]) < 1e-6),
        range=float(np.mean([controls.lowest <= note.pitch <= controls.highest for note in tune.notes])),
        chords=len(in_chord) / len(strong) if strong else 1.0,
        form=_share_repeated(tune, controls),
    )


def _share_repeated(tune: Tune, controls: Controls) -> float:
    """Return the share of bars that should repeat an earlier one and do, 0..1."""
    bars: dict[int, list[tuple[int, float, int]]] = {}
    for note in tune.notes:
        bar = int(note.onset / tune.bar + 1e-6)
        bars.setdefault(bar, []).append((round((note.onset - bar * tune.bar) * TICKS), note.duration, note.pitch))
    pairs = [(bar, controls.repeated_bar(bar)) for bar in range(controls.n_bars)]
    same = [bars.get(bar) == bars.get(earlier) for bar, earlier in pairs if earlier is not None]
    return float(np.mean(same)) if same else 1.0


def _strong(onset: float, controls: Controls) -> bool:
    return controls.is_strong(round(onset * TICKS) % controls.bar)


def _chord_at(controls: Controls, onset: float, bar: float) -> Chord:
    return controls.chords[int(onset / bar + 1e-6) % len(controls.chords)]
