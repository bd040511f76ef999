"""
Chords for a melody: sequences drawn from a hidden Markov model whose states are chords relative to the tonic.

Every half bar (bar, where it has an odd number of beats) has a chord. How well a chord fits is counted from the notes
that sound in it; how likely it follows another, from its function in the key. The likeliest sequence comes first, the
others are drawn at random, and differ from those before.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from recsys.arrays import F64, I64
from recsys.synth.tune import SCALES, Chord, Tune

STATES = {  # mode -> roots above the tonic, whether they are minor, and how common they are
    "major": ((0, 0, 10), (7, 0, 6), (5, 0, 4), (9, 1, 1.5), (2, 1, 1.5), (4, 1, 0.5), (2, 0, 0.7)),
    "mixolydian": ((0, 0, 10), (10, 0, 5), (5, 0, 3), (7, 1, 1), (7, 0, 2), (2, 1, 1), (9, 1, 1)),
    "lydian": ((0, 0, 10), (2, 0, 4), (7, 0, 4), (9, 1, 1.5), (4, 1, 1), (11, 1, 0.5)),
    "minor": ((0, 1, 10), (7, 0, 5), (5, 1, 2.5), (10, 0, 2.5), (3, 0, 2), (8, 0, 1.5), (7, 1, 1)),
    "dorian": ((0, 1, 10), (10, 0, 5), (5, 0, 3), (7, 1, 1.5), (3, 0, 2), (2, 1, 0.7), (7, 0, 1.5)),
    "phrygian": ((0, 1, 10), (1, 0, 5), (10, 1, 3), (3, 0, 2), (5, 1, 2), (8, 0, 2)),
}
NOTE_FITS = {0: 1.0, 4: 0.9, 3: 0.9, 7: 0.8, 10: 0.1}  # by semitones above the root, per crotchet; others:
IN_SCALE, FOREIGN = -0.6, -1.5
ACCENT = 1.0  # more weight of a note on a beat
WEIGHT = 2.2  # of the melody against the chords' own order
STAY, STAY_IN_BAR, RISE = 0.2, 1.0, 1.0  # log odds of no change at a bar line and within a bar, and of a fourth up
MOST_DRAWS = 40


@dataclass(frozen=True)
class Lattice:
    """
    The model of one melody.

    Attributes:
        onsets: When each segment begins, shape (n,) [crotchets].
        fits: Log likelihood of the melody in each segment under each chord, (n, k).
        moves: Log probability of each chord after each other within a bar and at a bar line, (2, k, k).
        is_bar: Whether a segment begins a bar, shape (n,).
        states: The chords: root above the tonic, and whether they are minor.
    """

    onsets: F64
    fits: F64
    moves: F64
    is_bar: I64
    states: tuple[tuple[int, bool], ...]


def chords_for(tune: Tune, n: int, rng: np.random.Generator) -> list[tuple[Chord, ...]]:
    """
    Return at most n different sequences of chords for a melody, the likeliest first.

    Args:
        tune: The melody; its own chords are not looked at.
        n: Number of sequences.
        rng: Random generator.
    """
    lattice = lattice_of(tune)
    found = [_best(lattice)]
    for _ in range(MOST_DRAWS if n > 1 else 0):
        drawn = _drawn(lattice, rng)
        if all(_differ(drawn, other) for other in found):
            found.append(drawn)
    return [_chords(tune, lattice, path) for path in found[:n]]


def lattice_of(tune: Tune) -> Lattice:
    """Return the model of a melody."""
    first = tune.pickup - tune.bar if tune.pickup else 0.0
    n_beats = round(tune.bar / tune.beat)
    per_bar = 2 if n_beats % 2 == 0 else 1
    step = tune.bar / per_bar
    n = max(1, int(np.ceil((tune.length - first) / step - 1e-6)))
    states = STATES[tune.mode]
    weights = np.zeros((n, 12))
    for note in tune.notes:
        start, end = (note.onset - first) / step, (note.onset + note.duration - first) / step
        beats = (note.onset - first) / tune.beat
        accent = 1 + ACCENT * (abs(beats - round(beats)) < 1e-6)
        for segment in range(int(start + 1e-6), min(n, int(np.ceil(end - 1e-6)))):
            inside = (min(end, segment + 1) - max(start, segment)) * step
            weights[segment, (note.pitch - tune.tonic) % 12] += accent * inside
    fit = np.array(
        [[_note_fit(note, root, tune.mode, bool(is_minor)) for note in range(12)] for root, is_minor, _ in states]
    )
    fits = WEIGHT * weights @ fit.T
    common = np.log([weight for _, _, weight in states])
    fits[0] += common
    fits[-1, 0] += 2.0  # a melody mostly ends on the tonic
    is_bar = np.array([segment % per_bar == 0 for segment in range(n)], np.int64)
    return Lattice(
        onsets=np.maximum(first + step * np.arange(n), 0.0),
        fits=fits,
        moves=np.stack([_moves(tune.mode, common, stay) for stay in (STAY_IN_BAR, STAY)]),
        is_bar=is_bar,
        states=tuple((root, bool(is_minor)) for root, is_minor, _ in states),
    )


def _note_fit(note: int, root: int, mode: str, is_minor: bool) -> float:
    above = (note - root) % 12
    if above in {3, 4} and (above == 3) != is_minor:
        return FOREIGN
    return NOTE_FITS.get(above, IN_SCALE if note in SCALES[mode] else FOREIGN)


def _moves(mode: str, common: F64, stay: float) -> F64:
    roots = np.array([root for root, _, _ in STATES[mode]])
    moves = common[None] + RISE * ((roots[None] - roots[:, None]) % 12 == 5) + stay * np.eye(len(roots))
    return np.asarray(moves - logsumexp(moves, axis=1, keepdims=True))


def _best(lattice: Lattice) -> list[int]:
    """Return the likeliest path (Viterbi)."""
    best, came_from = lattice.fits[0], []
    for row, is_bar in zip(lattice.fits[1:], lattice.is_bar[1:], strict=True):
        moved = best[:, None] + lattice.moves[is_bar]
        came_from.append(moved.argmax(axis=0))
        best = moved.max(axis=0) + row
    path = [int(best.argmax())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return path[::-1]


def _drawn(lattice: Lattice, rng: np.random.Generator) -> list[int]:
    """Draw a path from the posterior: forward filtering, backward sampling."""
    forward = [lattice.fits[0]]
    for row, is_bar in zip(lattice.fits[1:], lattice.is_bar[1:], strict=True):
        forward.append(logsumexp(forward[-1][:, None] + lattice.moves[is_bar], axis=0) + row)
    path: list[int] = []
    for place in range(len(forward) - 1, -1, -1):
        after = lattice.moves[lattice.is_bar[place + 1]][:, path[-1]] if path else 0.0
        odds = forward[place] + after
        path.append(int(rng.choice(len(odds), p=np.exp(odds - logsumexp(odds)))))
    return path[::-1]


def _differ(one: list[int], other: list[int]) -> bool:
    return sum(first != second for first, second in zip(one, other, strict=True)) * 8 >= len(one)


def _chords(tune: Tune, lattice: Lattice, path: list[int]) -> tuple[Chord, ...]:
    """Return the chords of a path; one that goes on is written once."""
    changes = [place for place, state in enumerate(path) if place == 0 or state != path[place - 1]]
    return tuple(
        Chord(
            float(lattice.onsets[place]),
            (tune.tonic + lattice.states[path[place]][0]) % 12,
            lattice.states[path[place]][1],
        )
        for place in changes
    )
