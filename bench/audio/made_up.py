"""
Made-up tunes with richer harmonies than those of the collections, for training the estimators of key, chords and beats.

Chords follow each other at random: by fourths and steps, with cadences at the ends of phrases, sevenths, secondary
dominants, chords borrowed from the parallel mode and modal cadences. The melody takes notes of the chord on beats and
steps of the scale between them.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recsys.synth.arrange import harmonise
from recsys.synth.tune import RHYTHMS, SCALES, Chord, Note, Tune

METRES = ((4, 4), (4, 4), (3, 4), (2, 4), (6, 8), (6, 8), (9, 8))
LOWEST, HIGHEST = 57, 81  # of the melody
PHRASE_BARS = (4, 4, 4, 2, 8)
PICKUP_SHARE, WIDE_LEAP_SHARE = 0.4, 0.15
DOMINANT = 7


class Step(NamedTuple):
    """A chord relative to the key: semitones of its root above the tonic, whether it is minor, and its frequency."""

    root: int
    is_minor: bool
    weight: float


VOCABULARY = {
    "major": ((0, 0, 5), (5, 0, 4), (7, 0, 4), (9, 1, 3), (2, 1, 2), (4, 1, 1), (10, 0, 0.5), (5, 1, 0.4), (8, 0, 0.2)),
    "minor": (
        (0, 1, 5), (5, 1, 3), (7, 0, 3), (7, 1, 1.5), (8, 0, 2.5), (3, 0, 2), (10, 0, 2), (5, 0, 0.4), (1, 0, 0.2),
    ),
    "dorian": ((0, 1, 5), (5, 0, 3.5), (10, 0, 2.5), (7, 1, 1.5), (3, 0, 1.5), (2, 1, 1)),
    "mixolydian": ((0, 0, 5), (10, 0, 3.5), (5, 0, 3), (7, 1, 1), (2, 1, 1), (9, 1, 1), (7, 0, 0.5)),
    "phrygian": ((0, 1, 5), (1, 0, 3), (10, 1, 2), (3, 0, 1.5), (5, 1, 1.5), (8, 0, 1)),
    "lydian": ((0, 0, 5), (2, 0, 3), (7, 0, 2.5), (9, 1, 1.5), (4, 1, 1), (11, 1, 1)),
}  # fmt: skip
CADENCES = {  # roots of the last chord but one, in semitones above the tonic
    "major": (7, 5),
    "minor": (7, 7, 10),
    "dorian": (5, 10),
    "mixolydian": (10, 10, 5),
    "phrygian": (1, 10),
    "lydian": (2, 7),
}


def made_up(name: str, rng: np.random.Generator, mode: str) -> Tune:
    """Compose a tune in a mode (a key of `SCALES`), of four phrases in the form AABA, ABAB or AABB, with chords."""
    metre = METRES[rng.integers(len(METRES))]
    empty = Tune(name, (), metre, int(rng.integers(12)), mode)
    richness = rng.random()
    n_bars = PHRASE_BARS[rng.integers(len(PHRASE_BARS))]
    first, second = (_phrase(empty, n_bars, rng, richness, is_last=is_last) for is_last in (True, rng.random() < 0.5))
    form = ("AABA", "ABAB", "BABA", "AABB")[rng.integers(4)]
    pickup = empty.beat if rng.random() < PICKUP_SHARE else 0.0
    notes, chords = [Note(0.0, pickup, first[0][0].pitch)] if pickup else [], []
    for number, letter in enumerate(form):
        start = pickup + number * n_bars * empty.bar
        phrase = first if letter == "A" else second
        notes += [note._replace(onset=start + note.onset) for note in phrase[0]]
        chords += [chord._replace(onset=start + chord.onset) for chord in phrase[1]]
    bar_lines = tuple(pickup + bar * empty.bar for bar in range(0 if pickup else 1, 4 * n_bars + 1))
    if pickup:  # the last bar is shorter by the pickup
        notes[-1] = notes[-1]._replace(duration=max(0.5, notes[-1].duration - pickup))
    return replace(empty, notes=tuple(notes), chords=tuple(chords), bar_lines=bar_lines)


def enriched(tune: Tune, rng: np.random.Generator) -> Tune:
    """Add sevenths to the chords of a tune, and make minor dominants major where the melody allows it."""
    richness = rng.random()
    chords = tune.chords or harmonise(tune)
    ends = [*(chord.onset for chord in chords[1:]), tune.length]
    changed = []
    for chord, end in zip(chords, ends, strict=True):
        sounding = {(note.pitch - chord.root) % 12 for note in tune.notes if chord.onset <= note.onset < end}
        is_raised = chord.is_minor and (chord.root - tune.tonic) % 12 == DOMINANT and 3 not in sounding
        raised = chord._replace(is_minor=False) if is_raised and rng.random() < 0.7 else chord
        changed.append(_with_seventh(raised, tune.tonic, rng, richness))
    return replace(tune, chords=tuple(changed))


def _with_seventh(chord: Chord, tonic: int, rng: np.random.Generator, richness: float) -> Chord:
    if rng.random() > richness * 0.8:
        return chord
    is_dominant = (chord.root - tonic) % 12 in {DOMINANT, 2, 4} and not chord.is_minor
    return chord._replace(seventh=10 if chord.is_minor or is_dominant or rng.random() < 0.2 else 11)


def _phrase(
    tune: Tune, n_bars: int, rng: np.random.Generator, richness: float, *, is_last: bool
) -> tuple[list[Note], list[Chord]]:
    """Compose a phrase; the last one of a tune ends on the tonic, others on any chord of a cadence."""
    n_per_bar = rng.choice([0.5, 1, 1, 1, 2]) if round(tune.bar / tune.beat) % 2 == 0 else rng.choice([0.5, 1, 1])
    n_chords = max(2, round(n_bars * n_per_bar))
    length = n_bars * tune.bar / n_chords
    steps = _progression(tune.mode, n_chords, rng, richness, is_last=is_last)
    chords = [
        _with_seventh(Chord(number * length, (tune.tonic + step.root) % 12, step.is_minor), tune.tonic, rng, richness)
        for number, step in enumerate(steps)
    ]
    return _melody(tune, n_bars, chords, rng), chords


def _progression(mode: str, n: int, rng: np.random.Generator, richness: float, *, is_last: bool) -> list[Step]:
    vocabulary = [Step(root, bool(is_minor), weight) for root, is_minor, weight in VOCABULARY[mode]]
    tonic = vocabulary[0]
    steps = [tonic if rng.random() < 0.75 else _drawn(vocabulary, None, rng)]
    while len(steps) < n:
        steps.append(_drawn(vocabulary, steps[-1], rng))
    if is_last:
        steps[-1] = tonic
        roots = CADENCES[mode]
        root = roots[rng.integers(len(roots))]
        steps[-2] = next(step for step in vocabulary if step.root == root)
    for number in range(1, n - 1):  # secondary dominants
        target = (steps[number + 1].root + DOMINANT) % 12
        if steps[number + 1].root and rng.random() < 0.12 * richness:
            steps[number] = Step(target, False, 0.0)
    return steps


def _drawn(vocabulary: list[Step], last: Step | None, rng: np.random.Generator) -> Step:
    weights = np.array([step.weight for step in vocabulary])
    if last is not None:
        moves = np.array([(step.root - last.root) % 12 for step in vocabulary])
        weights = weights * np.where(np.isin(moves, (5, 7)), 1.6, 1.0) * np.where(moves == 0, 0.3, 1.0)
    return vocabulary[rng.choice(len(vocabulary), p=weights / weights.sum())]


def _melody(tune: Tune, n_bars: int, chords: list[Chord], rng: np.random.Generator) -> list[Note]:
    notes: list[Note] = []
    pitch = int(rng.integers(62, 75))
    starts = np.array([chord.onset for chord in chords])
    onset = 0.0
    units = [tune.beat] * round(n_bars * tune.bar / tune.beat) if tune.is_compound else [tune.bar] * n_bars
    for unit in units:
        rhythm = RHYTHMS[unit][rng.integers(len(RHYTHMS[unit]))]
        for duration in rhythm:
            chord = chords[int(np.searchsorted(starts, onset + 1e-6)) - 1]
            on_beat = abs(onset / tune.beat - round(onset / tune.beat)) < 1e-6
            pitch = _next_pitch(pitch, tune, chord, rng, is_chord_note=on_beat or rng.random() < 0.3)
            if rng.random() > 0.04:
                notes.append(Note(onset, float(duration), pitch))
            onset += duration
    return notes


def _next_pitch(pitch: int, tune: Tune, chord: Chord, rng: np.random.Generator, *, is_chord_note: bool) -> int:
    of_chord = {(chord.root + step) % 12 for step in (0, 3 if chord.is_minor else 4, 7)}
    of_scale = {(tune.tonic + step) % 12 for step in SCALES[tune.mode]}
    foreign = of_chord - of_scale
    allowed = of_chord | {note for note in of_scale if not any((note - other) % 12 in {1, 11} for other in foreign)}
    pool = of_chord if is_chord_note else allowed
    reach = 12 if rng.random() < WIDE_LEAP_SHARE else 5
    near = [
        other
        for other in range(pitch - reach, pitch + reach + 1)
        if other % 12 in pool and LOWEST <= other <= HIGHEST and (is_chord_note or other != pitch)
    ]
    weights = np.array([0.75 ** abs(other - pitch) for other in near])
    return int(rng.choice(near, p=weights / weights.sum()))
