"""
Chords of a recording: the most likely sequence of major, minor and no chord, with a cost for each change.

Names: C is C major, Cm is C minor, N is no chord (a melody alone, drums, silence). Sevenths and other added notes are
not named.
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F64, I64
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import HOP_LONG, N_LONG

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NONE = "N"
NAMES = (*(f"{pitch}{minor}" for pitch in PITCHES for minor in ("", "m")), NONE)
CHANGE_COST = 2.5  # of a change of chord, in natural logarithms of probability
MOST_FREQUENT = 4  # chords that a summary names


@dataclass(frozen=True, eq=False)
class Chords:
    """
    Chords in order of time: each begins where the one before ends.

    Attributes:
        starts_s: Start of each chord, shape (n,) [s].
        end_s: End of the last chord [s].
        numbers: Position of each chord in `NAMES`, shape (n,).
        confidence: Mean probability of the chords, weighted by their length, 0..1.
    """

    starts_s: F64
    end_s: float
    numbers: I64
    confidence: float

    @property
    def ends_s(self) -> F64:
        """End of each chord, shape (n,) [s]."""
        return np.append(self.starts_s[1:], self.end_s)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each chord."""
        return tuple(NAMES[number] for number in self.numbers)

    @property
    def changes_per_min(self) -> float:
        """Changes from a chord to another one, per minute; a pause between them does not count as one."""
        named = self.numbers[self.numbers != NAMES.index(NONE)]
        return float((named[1:] != named[:-1]).sum() / self.end_s * 60)

    @property
    def most_frequent(self) -> str | None:
        """Names of the (at most four) chords that sound longest, longest first; None if there is no chord."""
        lengths = np.bincount(self.numbers, self.ends_s - self.starts_s, len(NAMES))[:-1]
        longest = [number for number in np.argsort(-lengths, kind="stable")[:MOST_FREQUENT] if lengths[number] > 0]
        return " ".join(NAMES[number] for number in longest) or None


def find_chords(probabilities: F64, duration_s: float) -> Chords:
    """
    Find the most likely sequence of chords (Viterbi).

    Args:
        probabilities: Probability of each chord of `NAMES` in each long frame, shape (n_frames, 25).
        duration_s: Length of the recording [s].
    """
    path = _best_path(np.log(probabilities + 1e-9))
    is_start = np.append(True, path[1:] != path[:-1])
    middles_s = (np.arange(len(path)) * HOP_LONG + N_LONG / 2) / RATE_HZ
    starts_s = middles_s[is_start] - HOP_LONG / 2 / RATE_HZ
    starts_s[0] = 0.0
    confidence = float(probabilities[np.arange(len(path)), path].mean())
    return Chords(starts_s, max(duration_s, float(middles_s[-1])), path[is_start], confidence)


def _best_path(scores: F64) -> I64:
    """Return the sequence with the highest sum of scores minus the costs of its changes, shape (n_frames,)."""
    best, came_from = scores[0], np.empty(scores.shape, np.int64)
    own = np.arange(scores.shape[1])
    for frame, row in enumerate(scores[1:], start=1):
        highest = int(best.argmax())
        stays = best >= best[highest] - CHANGE_COST
        came_from[frame] = np.where(stays, own, highest)
        best = np.where(stays, best, best[highest] - CHANGE_COST) + row
    path = np.empty(len(scores), np.int64)
    path[-1] = best.argmax()
    for frame in range(len(scores) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
