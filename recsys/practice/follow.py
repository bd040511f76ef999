"""
Which heard note is which written one: a lattice of matches, missing and extra notes, by pitch and time.

A path through the lattice consumes written and heard notes in order. Its cost is a sum of negative log probabilities:
pitch that differs, time that differs from where the tempo curve expects the note, notes missing, sounds left over. The
cheapest path is the alignment; the sum over all paths says how sure each decision is. Key, tuning and tempo are found
by trying; the curve is then fitted to what was matched and the notes are aligned again, each time more narrowly.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.arrays import F64, I64
from recsys.matching.tunes.melody import Melody
from recsys.practice.heard import HeardNote

RIGHT_SD, WRONG = 0.3, 4.3  # semitones of a right note; cost of a wrong one
OCTAVE = 0.8  # cost of a right note in another octave, which trackers of pitch confuse
MISSING, MISSING_REPEATED = 4.6, 3.0  # of a note, and of one that repeats the last pitch: it may be one sound with it
EXTRA, SHORT_EXTRA, SHORT_S = 4.6, 1.5, 0.09  # of a sound left over; one up to SHORT_S may be an artefact
SAME, SAME_ATTACK = 0.4, 3.0  # of a sound that goes on at the same pitch, and per unit of its attack in the usual one
LEAST_USUAL = 0.2  # attack
FAR_TIME, FAR_PER_SD = 2.6, 0.5  # the cost of a time far from the curve: from where it grows slowly
BEGIN_S = 0.45  # spread of onsets about a steady tempo
PASSES_S = ((0.25, 6.0), (0.15, 4.0), (0.09, 2.5), (0.07, 2.2), (0.07, 2.2))  # spread about, and windows of, the curve
TEMPI_S = np.geomspace(0.2, 1.6, 22)  # lengths of a quarter note that are tried
N_KEYS, MAX_KEY = 4, 30  # transpositions that are tried [semitones]
N_STARTS = 5  # of keys and tempi that are followed to the end
PENALTY = np.diag([0.0, 1e-2, 0.3])  # of the parabolas' slope and curvature
ROBUST_S = 0.09  # a note so far from the curve has half the weight


@dataclass(frozen=True, eq=False)
class Followed:
    """
    An alignment.

    Attributes:
        heard: For each written note the heard one, -1: none. Shape (n_notes,).
        sureness: Probability of that decision. Shape (n_notes,).
        left_over: Probability that a heard note belongs to no written one. Shape (n_heard,).
        due_s: When each note is due by the tempo curve [s]. Shape (n_notes,).
        shift: Key and tuning of the take: what is heard minus what is written [semitones].
    """

    heard: I64
    sureness: F64
    left_over: F64
    due_s: F64
    shift: float


def follow(melody: Melody, heard: list[HeardNote]) -> Followed:
    """
    Align a take to its score.

    Args:
        melody: What is written.
        heard: What is heard, at least two notes.
    """
    sides = _Sides.of(melody, heard)
    best = min(
        (_refined(sides, *start) for start in _starts(sides, _likely_keys(melody, heard))), key=lambda it: it.cost
    )
    own, missing, left_over = _posteriors(best.costs, sides.misses, sides.skips)
    sureness = np.where(best.match >= 0, own[np.arange(len(own)), best.match], missing)
    return Followed(best.match, sureness, left_over, best.due_s, best.shift)


class _Sides(NamedTuple):
    """Written pitches and onsets [quarter notes], pitches and onsets heard [s], and the costs of leaving each out."""

    written: I64
    beats: F64
    pitch: F64
    start_s: F64
    misses: F64
    skips: F64

    @classmethod
    def of(cls, melody: Melody, heard: list[HeardNote]) -> "_Sides":
        pitch, start_s = np.array([note.midi for note in heard]), np.array([note.start_s for note in heard])
        beats = melody.onset - melody.onset[0]
        return cls(melody.pitch, beats, pitch, start_s, _miss_costs(melody), _skip_costs(heard))

    def match_costs(self, shift: float, due_s: F64, spread_s: float) -> F64:
        return _match_costs(self.pitch - shift, self.start_s, self.written, due_s, spread_s)

    def least_cost(self, costs: F64) -> float:
        return -float(_lattice(costs, self.misses, self.skips, np.maximum)[-1, -1])


class _Path(NamedTuple):
    """The cheapest path of a key and tempo curve: its cost, the costs of matches, and its matches."""

    cost: float
    costs: F64
    match: I64
    due_s: F64
    shift: float


def _refined(sides: _Sides, shift: float, due_s: F64) -> _Path:
    """Align and fit the tempo curve in turn, each time more narrowly."""
    match, costs = np.full(len(sides.written), -1), np.empty(0)
    for spread_s, window_s in ((BEGIN_S, PASSES_S[0][1]), *PASSES_S):
        costs = sides.match_costs(shift, due_s, spread_s)
        match = _cheapest(costs, sides.misses, sides.skips)
        found = match >= 0
        if found.sum() >= 2:
            shift = _median_near(sides.pitch[match[found]] - sides.written[found], shift)
            due_s = tempo_curve(due_s, np.where(found, sides.start_s[match], np.nan), window_s)
    return _Path(sides.least_cost(costs), costs, match, due_s, shift)


def _median_near(off: F64, shift: float) -> float:
    near = off[np.abs(off - shift) < 0.8]
    return float(np.median(near)) if len(near) else shift


def _starts(sides: _Sides, keys: list[float]) -> list[tuple[float, F64]]:
    """Return the transpositions and steady tempi at which the take follows the score best."""
    tried = []
    for key in keys:
        for quarter_s in TEMPI_S:
            due_s = sides.start_s[0] + quarter_s * sides.beats
            tried.append((sides.least_cost(sides.match_costs(key, due_s, BEGIN_S)), key, due_s))
    tried.sort(key=lambda it: it[0])
    return [(key, due_s) for _, key, due_s in tried[:N_STARTS]]


def _likely_keys(melody: Melody, heard: list[HeardNote]) -> list[float]:
    """Return the transpositions [semitones] at which the pitches heard are most like those written."""
    pitch, length = np.array([it.midi for it in heard]), np.array([it.end_s - it.start_s for it in heard])
    tuning = float(np.angle((length * np.exp(2j * np.pi * pitch)).sum()) / (2 * np.pi))
    sounding = np.bincount(np.clip(np.round(pitch - tuning), 0, 127).astype(int), length, 128)
    written = np.bincount(melody.pitch, melody.duration, 128)
    keys = np.arange(-MAX_KEY, MAX_KEY + 1)
    shares = [np.roll(written, key) / written.sum() for key in keys]
    likeness = np.array([np.minimum(share, sounding / sounding.sum()).sum() for share in shares])
    return [float(key) + tuning for key in keys[np.argsort(-likeness, kind="stable")[:N_KEYS]]]


def _miss_costs(melody: Melody) -> F64:
    repeats = np.diff(melody.pitch, prepend=-1) == 0
    return np.where(repeats, MISSING_REPEATED, MISSING)


def _skip_costs(heard: list[HeardNote]) -> F64:
    usual = max(LEAST_USUAL, float(np.median([note.attack for note in heard])))
    costs = np.full(len(heard), EXTRA)
    for place, note in enumerate(heard):
        if note.end_s - note.start_s < SHORT_S:
            costs[place] = SHORT_EXTRA
        elif place and abs(note.midi - heard[place - 1].midi) < 0.6:
            costs[place] = min(EXTRA, SAME + SAME_ATTACK * note.attack / usual)
    return costs


def _match_costs(pitch: F64, start_s: F64, written: I64, due_s: F64, spread_s: float) -> F64:
    """Return the cost of each written and heard note being one, shape (n_notes, n_heard)."""
    off = pitch - written[:, None]
    octaves = 12 * np.round(off / 12)
    off_pitch = np.minimum(0.5 * ((off - octaves) / RIGHT_SD) ** 2 + OCTAVE * (octaves != 0), WRONG)
    off_time = np.abs(start_s - due_s[:, None]) / spread_s
    limit = np.sqrt(2 * FAR_TIME)
    slow = FAR_TIME + FAR_PER_SD * (off_time - limit)
    return np.asarray(off_pitch + np.where(off_time < limit, 0.5 * off_time**2, slow))


def _lattice(costs: F64, misses: F64, skips: F64, join: np.ufunc) -> F64:
    """
    Return the log probability of consuming i written and j heard notes, shape (n_notes + 1, n_heard + 1).

    Args:
        costs: Of matches, (n_notes, n_heard).
        misses: Of written notes that are left out, (n_notes,).
        skips: Of heard ones, (n_heard,).
        join: `np.maximum` for the best path, `np.logaddexp` for the sum of all.
    """
    skipped = np.concatenate([[0.0], np.cumsum(skips)])
    table = np.empty((len(misses) + 1, len(skips) + 1))
    table[0] = -skipped
    for note, miss in enumerate(misses):
        row = table[note] - miss
        row[1:] = join(row[1:], table[note, :-1] - costs[note])
        table[note + 1] = join.accumulate(row + skipped) - skipped
    return table


def _cheapest(costs: F64, misses: F64, skips: F64) -> I64:
    """Return the heard note of each written one on the best path, -1: none."""
    table = _lattice(costs, misses, skips, np.maximum)
    match = np.full(len(misses), -1)
    note, place = len(misses), len(skips)
    while note and place:
        value = table[note, place]
        if np.isclose(value, table[note - 1, place - 1] - costs[note - 1, place - 1], atol=1e-9):
            note, place = note - 1, place - 1
            match[note] = place
        elif np.isclose(value, table[note - 1, place] - misses[note - 1], atol=1e-9):
            note -= 1
        else:
            place -= 1
    return match


def _posteriors(costs: F64, misses: F64, skips: F64) -> tuple[F64, F64, F64]:
    """Return the probabilities of each match (n_notes, n_heard), of missing notes, and of sounds left over."""
    forward = _lattice(costs, misses, skips, np.logaddexp)
    backward = _lattice(costs[::-1, ::-1], misses[::-1], skips[::-1], np.logaddexp)[::-1, ::-1]
    total = forward[-1, -1]
    own = np.exp(forward[:-1, :-1] - costs + backward[1:, 1:] - total)
    missing = np.exp(forward[:-1] - misses[:, None] + backward[1:] - total).sum(axis=1)
    return own, missing, 1 - own.sum(axis=0)


def tempo_curve(before_s: F64, start_s: F64, window_s: float) -> F64:
    """
    Return when each note is due: local parabolas through the onsets, in which far ones weigh little.

    Args:
        before_s: The curve so far [s].
        start_s: Onsets that are heard [s], NaN where none is. Shape (n_notes,), as the result.
        window_s: Width of the windows [s].
    """
    found = ~np.isnan(start_s)
    x, y = before_s[found], start_s[found]
    curve = np.asarray(before_s, float)
    for number in range(4):
        far = (y - np.interp(x, before_s, curve)) / ROBUST_S if number else np.zeros(len(y))
        curve = np.array([_local(due_s, x, y, 1 / (1 + far**2), window_s) for due_s in before_s])
    return np.maximum.accumulate(curve)


def _local(due_s: float, x: F64, y: F64, weights: F64, window_s: float) -> float:
    """Return the value at a place of the weighted parabola through the points around it."""
    distance = (x - due_s) / window_s
    weight = weights * np.exp(-0.5 * distance**2) + 1e-9
    basis = np.stack([np.ones(len(x)), distance, distance**2])
    fit = np.linalg.solve((basis * weight) @ basis.T + PENALTY, (basis * weight) @ (y - x))
    return float(due_s + fit[0])
