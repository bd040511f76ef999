"""
What a suggestion has in common with the tunes that the model learnt from and those of the catalogue.

A run of twelve notes with the same intervals and the same rhythm, in any key and at any tempo, is a copy. Runs that the
writer's own melody has are the writer's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from recsys.matching.tunes.index import TuneIndex
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.matching.tunes.reading import why_not
from recsys.synth.tune import Tune

LONGEST_RUN = 11  # notes that may be the same
GRAIN = 96  # ratios of lengths are compared in this many parts
FACTORS = np.random.default_rng(11).integers(1, 1 << 63, 2 * LONGEST_RUN, dtype=np.uint64) | np.uint64(1)  # of the hash
U64: TypeAlias = npt.NDArray[np.uint64]


def runs(melody: Melody) -> U64:
    """Return a hash for each run of LONGEST_RUN + 1 notes, shape (n - LONGEST_RUN,), equal in any key and tempo."""
    if len(melody) <= LONGEST_RUN:
        return np.empty(0, np.uint64)
    intervals = sliding_window_view(np.diff(melody.pitch), LONGEST_RUN)
    lengths = sliding_window_view(np.maximum(np.diff(melody.onset), 1e-6), LONGEST_RUN)
    ratios = np.round(GRAIN * lengths / lengths[:, :1]).astype(np.int64)
    return np.asarray(np.hstack([intervals, ratios]).astype(np.uint64) @ FACTORS)


@dataclass(frozen=True)
class Neighbour:
    """
    The tune that resembles a suggestion most.

    Attributes:
        name: Its name.
        score: How much it resembles the suggestion, 0..1 (`recsys.matching.tunes.index`).
        longest_run: Longest run of notes that both have with the same intervals and rhythm.
    """

    name: str
    score: float
    longest_run: int


@dataclass(frozen=True)
class KnownTunes:
    """
    Tunes that no suggestion may copy.

    Attributes:
        melodies: Those that the model learnt from, and the catalogue's.
    """

    melodies: tuple[Melody, ...]

    @cached_property
    def _runs(self) -> U64:
        return np.unique(np.concatenate([np.empty(0, np.uint64), *map(runs, self.melodies)]))

    @cached_property
    def _index(self) -> TuneIndex:
        return TuneIndex.of([melody for melody in self.melodies if why_not(melody) is None])

    def copies(self, suggestion: Tune, own: Iterable[Tune] = ()) -> int:
        """Return how many runs of a suggestion are those of a known tune, and not of the writer's own melodies."""
        found = runs(melody_of(suggestion))
        of_own = np.concatenate([np.empty(0, np.uint64), *(runs(melody_of(tune)) for tune in own)])
        return int((np.isin(found, self._runs) & ~np.isin(found, of_own)).sum())

    def nearest(self, suggestion: Tune) -> Neighbour | None:
        """Return the tune that resembles a suggestion most; None if nothing can be compared."""
        melody = melody_of(suggestion)
        if why_not(melody) is not None or not self._index.melodies:
            return None
        found = self._index.search(melody, 1)[0]
        other = self._index.melodies[found.row]
        return Neighbour(other.name, found.score, longest_common_run(melody, other))


def longest_common_run(one: Melody, other: Melody) -> int:
    """Return the largest number of successive notes that two melodies have with the same intervals and rhythm."""
    if min(len(one), len(other)) < 2:
        return min(len(one), len(other))
    rows, columns = np.diff(one.pitch), np.diff(other.pitch)
    lengths, others = (np.round(np.diff(melody.onset) * GRAIN) for melody in (one, other))
    same = (rows[:, None] == columns) & (lengths[:, None] == others)
    longest, before = 0, np.zeros(len(columns) + 1, np.int64)
    for row in same:
        before = np.append(0, (before[:-1] + 1) * row)
        longest = max(longest, int(before.max()))
    return longest + 1 if longest else 1
