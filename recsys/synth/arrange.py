"""
Arrangements of tunes: tempo, key, instruments, chords, bass and drums are drawn at random and kept as labels.

Two arrangements of one tune are covers of each other: the same melody with other instruments, key and tempo.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from recsys.synth.tune import SCALES, Chord, Tune

# Families of General MIDI programs, 0 to 103; sound effects are left out.
FAMILIES = {
    "piano": range(8),
    "mallets": range(8, 16),
    "organ": range(16, 24),
    "guitar": range(24, 32),
    "bass": range(32, 40),
    "strings": range(40, 48),
    "ensemble": range(48, 55),
    "brass": range(56, 64),
    "reed": range(64, 72),
    "pipe": range(72, 80),
    "synth lead": range(80, 88),
    "synth pad": range(88, 96),
}
MELODY = ("piano", "mallets", "organ", "guitar", "strings", "brass", "reed", "pipe", "synth lead")
HARMONY = ("piano", "organ", "guitar", "ensemble", "synth pad")
STYLES = ("block", "arpeggio", "off-beat", "none")
KICK, SNARE, HAT = 36, 38, 42
MELODY_CHANNEL, CHORD_CHANNEL, BASS_CHANNEL, DRUM_CHANNEL = 0, 1, 2, 9
CHANGE_COST = 0.4  # of a chord change: the new chord must fit so many more crotchets of melody than the old one


class Event(NamedTuple):
    """A played note: start and end [s], MIDI channel, MIDI key number and velocity 1..127."""

    start_s: float
    end_s: float
    channel: int
    key: int
    velocity: int


@dataclass(frozen=True, kw_only=True)
class Style:
    """
    Tempo, transposition and instruments of an arrangement.

    Attributes:
        tempo_bpm: Beats per minute [1/min].
        transpose: Transposition [semitones].
        melody, harmony, bass: General MIDI programs, 0 to 103.
        chords: Accompaniment pattern, one of `STYLES`.
        has_bass, has_drums: Whether bass and drums play.
    """

    tempo_bpm: float
    transpose: int
    melody: int
    harmony: int
    bass: int
    chords: str
    has_bass: bool
    has_drums: bool

    @classmethod
    def random(cls, rng: np.random.Generator, *, programs: frozenset[int] = frozenset(range(104))) -> "Style":
        """Draw a style at random; instruments come from `programs`, which may exclude those of a test set."""
        return cls(
            tempo_bpm=float(np.round(np.exp(rng.uniform(np.log(60), np.log(180))), 1)),
            transpose=int(rng.integers(-6, 6)),
            melody=_program(MELODY, programs, rng),
            harmony=_program(HARMONY, programs, rng),
            bass=_program(("bass",), programs, rng),
            chords=str(rng.choice(STYLES, p=[0.35, 0.3, 0.25, 0.1])),
            has_bass=bool(rng.random() < 0.7),
            has_drums=bool(rng.random() < 0.5),
        )

    def for_cover(self, rng: np.random.Generator) -> "Style":
        """Draw a style for a cover: another key, other instruments, and a tempo that differs by up to 20 %."""
        other = Style.random(rng)
        tempo_bpm = float(np.round(self.tempo_bpm * rng.uniform(0.8, 1.2), 1))
        return replace(other, tempo_bpm=tempo_bpm, transpose=self.transpose + int(rng.choice([-5, -3, -2, 2, 4, 5])))


class Harmony(NamedTuple):
    """A chord of an arrangement: start and end [s], pitch class of its root, and whether its third is minor."""

    start_s: float
    end_s: float
    root: int
    is_minor: bool


@dataclass(frozen=True)
class Arrangement:
    """
    An arranged tune and its labels.

    Attributes:
        events: Played notes in order of start.
        programs: General MIDI program of each channel except the drums.
        style: Style of the arrangement.
        tempo_bpm: Beats per minute [1/min]; the beat is the dotted crotchet in compound metres.
        tonic: Pitch class of the key after transposition, 0 = C.
        is_minor: Whether the third above the tonic is minor.
        chords: Chords in order of start, without overlap; where none is in force, there is a gap.
        beats_s, downbeats_s: Times of the beats, and of the first beats of bars [s].
    """

    events: tuple[Event, ...]
    programs: dict[int, int]
    style: Style
    tempo_bpm: float
    tonic: int
    is_minor: bool
    chords: tuple[Harmony, ...] = ()
    beats_s: tuple[float, ...] = ()
    downbeats_s: tuple[float, ...] = ()


def _program(families: tuple[str, ...], programs: frozenset[int], rng: np.random.Generator) -> int:
    return int(rng.choice([program for name in families for program in FAMILIES[name] if program in programs]))


def arrange(tune: Tune, style: Style, rng: np.random.Generator, *, longest_s: float = 30.0) -> Arrangement:
    """
    Arrange a tune, repeated until `longest_s`.

    Args:
        tune: Tune to arrange.
        style: Style of the arrangement.
        rng: Random generator for the variation of onsets and velocities.
        longest_s: Time after which no note begins [s].
    """
    crotchet_s = 60 / style.tempo_bpm / tune.beat
    n_repeats = max(1, int(np.ceil(longest_s / (tune.length * crotchet_s))))
    length = np.ceil(tune.length / tune.bar - 1e-6) * tune.bar
    events = []
    for start, end, channel, key, velocity in played_notes(tune, style):
        transposed = key if channel == DRUM_CHANNEL else key + style.transpose
        for repeat in range(n_repeats):
            begin = (start + repeat * length) * crotchet_s + abs(rng.normal(0, 0.004))
            if begin < longest_s:
                varied_velocity = int(np.clip(velocity + rng.normal(0, 6), 20, 127))
                events.append(Event(begin, begin + (end - start) * crotchet_s, channel, transposed, varied_velocity))
    programs = {MELODY_CHANNEL: style.melody, CHORD_CHANNEL: style.harmony, BASS_CHANNEL: style.bass}
    tonic = (tune.tonic + style.transpose) % 12
    end = min(n_repeats * length, longest_s / crotchet_s)
    return Arrangement(
        tuple(sorted(events)),
        programs,
        style,
        style.tempo_bpm,
        tonic,
        tune.is_minor,
        tuple(_chords_in_time(tune, style, crotchet_s, n_repeats * length)),
        *(
            tuple((np.arange(tune.pickup % unit, end - 1e-6, unit) * crotchet_s).tolist())
            for unit in (tune.beat, tune.bar)
        ),
    )


def _chords_in_time(tune: Tune, style: Style, crotchet_s: float, length: float) -> Iterator[Harmony]:
    """Yield the chords of all repeats, of a tune that is repeated until `length` [crotchets]."""
    chords = tune.chords or harmonise(tune)
    ends = [*(chord.onset for chord in chords[1:]), tune.length]
    once = np.ceil(tune.length / tune.bar - 1e-6) * tune.bar
    for start in np.arange(0, length - 1e-6, once):
        for chord, end in zip(chords, ends, strict=True):
            root = (chord.root + style.transpose) % 12
            start_s, end_s = float(start + chord.onset) * crotchet_s, float(start + end) * crotchet_s
            yield Harmony(start_s, end_s, root, chord.is_minor)


class Played(NamedTuple):
    """A note of an arrangement in exact time: start and end [crotchets], MIDI channel, key number and velocity."""

    start: float
    end: float
    channel: int
    key: int
    velocity: int


def played_notes(tune: Tune, style: Style) -> list[Played]:
    """Return what the parts of an arrangement play, once through the tune, in the tune's own key."""
    parts = [*_melody(tune), *_harmony(tune, style), *(_drums(tune) if style.has_drums else [])]
    return [Played(*note) for note in parts]


_Played = tuple[float, float, int, int, int]  # the fields of `Played`


def _melody(tune: Tune) -> list[_Played]:
    return [
        (
            note.onset,
            note.onset + 0.9 * note.duration,
            MELODY_CHANNEL,
            note.pitch,
            100 if _on_beat(tune, note.onset) else 88,
        )
        for note in tune.notes
    ]


def _on_beat(tune: Tune, onset: float) -> bool:
    beats = (onset - tune.pickup) / tune.beat
    return abs(beats - round(beats)) < 1e-6


def _harmony(tune: Tune, style: Style) -> list[_Played]:
    chords = tune.chords or harmonise(tune)
    ends = [*(chord.onset for chord in chords[1:]), tune.length]
    played: list[_Played] = []
    for chord, end in zip(chords, ends, strict=True):
        sevenths = (chord.seventh,) if chord.seventh else ()
        keys = [48 + (chord.root + step) % 12 for step in (0, 3 if chord.is_minor else 4, 7, *sevenths)]
        beats = np.arange(chord.onset, end - 1e-6, tune.beat)
        played += [note for beat in beats for note in _chord_at(float(beat), keys, tune, style)]
        if style.has_bass:
            root = 36 + chord.root
            played += [
                (float(beat), float(beat) + 0.8 * tune.beat, BASS_CHANNEL, root + (7 if number % 2 else 0), 92)
                for number, beat in enumerate(beats)
            ]
    return played


def _chord_at(beat: float, keys: list[int], tune: Tune, style: Style) -> list[_Played]:
    length = tune.beat
    match style.chords:
        case "block":
            return [(beat, beat + 0.95 * length, CHORD_CHANNEL, key, 70) for key in keys]
        case "arpeggio":
            part = length / (3 if tune.is_compound else 2)
            return [
                (beat + nth * part, beat + (nth + 1) * part, CHORD_CHANNEL, keys[nth % len(keys)], 72)
                for nth in range(round(length / part))
            ]
        case "off-beat":
            start = beat + length * (2 / 3 if tune.is_compound else 1 / 2)
            return [(start, beat + length, CHORD_CHANNEL, key, 68) for key in keys]
        case _:
            return []


def _drums(tune: Tune) -> list[_Played]:
    """Return a drum pattern: kick on beat one (and three of four), snare on the others, hi-hat on and between beats."""
    n_beats, part = round(tune.bar / tune.beat), tune.beat / (3 if tune.is_compound else 2)
    strokes: list[tuple[float, int, int]] = []
    for bar in np.arange(tune.pickup - tune.bar if tune.pickup else 0, tune.length - 1e-6, tune.bar):
        for beat in range(n_beats):
            onset = float(bar) + beat * tune.beat
            if onset < -1e-6:
                continue
            drum = KICK if beat == 0 or (n_beats == 4 and beat == 2) else SNARE
            strokes += [(onset, drum, 100), (onset, HAT, 80), (onset + tune.beat - part, HAT, 60)]
    return [(onset, onset + 0.1, DRUM_CHANNEL, drum, velocity) for onset, drum, velocity in strokes]


def harmonise(tune: Tune) -> tuple[Chord, ...]:
    """
    Choose a triad of the scale for every bar: the sequence with the highest fit to the melody minus a cost per change.

    The sequence ends on the tonic and is found by dynamic programming (Viterbi).
    """
    scale = SCALES[tune.mode]
    triads = [(scale[step], tuple((scale[(step + up) % 7]) % 12 for up in (0, 2, 4))) for step in (0, 1, 3, 4, 5)]
    first = tune.pickup - tune.bar if tune.pickup else 0.0  # onset of the first bar, of which a part may be missing
    n_bars = max(1, int(np.ceil((tune.length - first) / tune.bar - 1e-6)))
    fits = np.zeros((n_bars, len(triads)))
    for note in tune.notes:
        above = (note.pitch - tune.tonic) % 12
        fits[min(n_bars - 1, int((note.onset - first) / tune.bar + 1e-6))] += [
            note.duration * (above in notes) for _, notes in triads
        ]
    fits[0, 0] += 1.0
    fits[-1, 1:] = -np.inf
    best, came_from = fits[0], []
    for row in fits[1:]:
        moved = best[:, None] - CHANGE_COST * (1 - np.eye(len(triads)))
        came_from.append(moved.argmax(axis=0))
        best = moved.max(axis=0) + row
    path = [int(best.argmax())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    chosen = [triads[number] for number in reversed(path)]
    return tuple(
        Chord(max(0.0, first + bar * tune.bar), (tune.tonic + root) % 12, (notes[1] - notes[0]) % 12 == 3)
        for bar, (root, notes) in enumerate(chosen)
    )
