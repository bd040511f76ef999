"""
Find the melodies that resemble one: every melody is aligned by pitch, and the best ones again with rhythm.

The transposition is the one at which the notes of both melodies coincide most, weighted by their length. The score is
the mean of three shares: of what agrees in pitch alone and in pitch with rhythm (`recsys.matching.tunes.alignment`),
and of short figures in common (`recsys.matching.tunes.figures`). None depends on key or tempo.

A take (`recsys.matching.tunes.take`) may be a part of a tune: its shares are those of the take alone, without figures.
Since the notes of a part may be distributed differently, the better of the two likeliest transpositions counts.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.arrays import F32, I32, I64
from recsys.matching.tunes.alignment import Block, Contour, blocks, scores
from recsys.matching.tunes.figures import FigureIndex
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.significance import expected_strangers

LARGEST_SHIFT = 12  # semitones between medians
WITH_RHYTHM = 500  # melodies, best by pitch alone, that are aligned with rhythm, too
N_SHIFTS_OF_TAKE = 2  # transpositions at which a take is aligned
SPAN = 64  # histograms hold pitches up to this far from the median [semitones]


@dataclass(frozen=True)
class Resemblance:
    """
    How much a melody of an index resembles a query.

    Attributes:
        row: Row of the melody in the index.
        score: Mean of `pitch`, `rhythm` and `figures`.
        pitch: Share of both melodies, or of the take, that agrees in the alignment by pitch, at most 1.
        rhythm: The same in the alignment by pitch and rhythm, at most 1.
        figures: Share of short figures that both have, 0..1; None for a take.
        shift: By how much the other's pitches relative to its median exceed those of the query [semitones].
        expected: How many strangers are expected to score at least as high (`recsys.matching.tunes.significance`).
    """

    row: int
    score: float
    pitch: float
    rhythm: float
    figures: float | None
    shift: int
    expected: float


@dataclass(frozen=True)
class TuneIndex:
    """
    Melodies that are searched.

    Attributes:
        melodies: The melodies.
        lines: The same, as they are aligned.
    """

    melodies: tuple[Melody, ...]
    lines: tuple[Contour, ...]

    @classmethod
    def of(cls, melodies: list[Melody]) -> Self:
        """Return the index of melodies."""
        return cls(tuple(melodies), tuple(map(contour_of, melodies)))

    @cached_property
    def _blocks(self) -> list[Block]:
        return blocks(list(self.lines))

    @cached_property
    def _figures(self) -> FigureIndex:
        return FigureIndex.of(self.melodies)

    @cached_property
    def _histograms(self) -> F32:
        return np.stack([_histogram(line) for line in self.lines])

    @cached_property
    def _totals(self) -> tuple[I64, I64]:
        without, with_rhythm = ([line.total(with_rhythm=is_so) for line in self.lines] for is_so in (False, True))
        return np.array(without), np.array(with_rhythm)

    def search(self, melody: Melody, n: int = WITH_RHYTHM) -> list[Resemblance]:
        """Return the melodies that resemble one most, best first, at most n <= 500."""
        line = contour_of(melody)
        shifts, points = self._by_pitch(line, N_SHIFTS_OF_TAKE if melody.is_take else 1)
        pitch = points / self._largest(melody, line, np.arange(len(self.lines)), with_rhythm=False)
        best = np.argsort(-pitch, kind="stable")[:WITH_RHYTHM]
        points = scores(line, blocks([self.lines[row] for row in best]), shifts[best], with_rhythm=True)
        rhythm = points / self._largest(melody, line, best, with_rhythm=True)
        figures = None if melody.is_take else self._figures.shares(melody, best)
        score = np.mean([pitch[best], rhythm, *([] if figures is None else [figures])], axis=0)
        order = np.argsort(-score, kind="stable")
        expected = expected_strangers(score[order], len(self.lines), is_take=melody.is_take)
        return [
            Resemblance(
                row=int(best[place]),
                score=float(score[place]),
                pitch=float(pitch[best[place]]),
                rhythm=float(rhythm[place]),
                figures=None if figures is None else float(figures[place]),
                shift=int(shifts[best[place]]),
                expected=strangers,
            )
            for place, strangers in zip(order[:n].tolist(), expected.tolist(), strict=False)
        ]

    def _by_pitch(self, line: Contour, n_shifts: int) -> tuple[I64, I32]:
        """Return for each line the transposition of the likeliest few that gives most points, and the points."""
        shifts = self._shifts(line, n_shifts)
        points = np.stack([scores(line, self._blocks, likely, with_rhythm=False) for likely in shifts])
        best = np.argmax(points, axis=0)[None]
        return np.take_along_axis(shifts, best, axis=0)[0], np.take_along_axis(points, best, axis=0)[0]

    def _shifts(self, line: Contour, n_shifts: int) -> I64:
        """Return the likeliest transpositions by the overlap of histograms, shape (n_shifts, n_lines) [semitones]."""
        shifts = np.arange(-LARGEST_SHIFT, LARGEST_SHIFT + 1)
        shifted = np.stack([np.roll(_histogram(line), shift) for shift in shifts], axis=1)
        order = np.argsort(-(self._histograms @ shifted), axis=1, kind="stable")
        found: I64 = shifts[order[:, :n_shifts].T]
        return found

    def _largest(self, melody: Melody, line: Contour, rows: I64, *, with_rhythm: bool) -> I64:
        """Return the points at which a melody, or a take, would agree fully with lines of the index, (n_rows,)."""
        own = line.total(with_rhythm=with_rhythm)
        return np.asarray(own + (own if melody.is_take else self._totals[with_rhythm][rows]))


def contour_of(melody: Melody) -> Contour:
    """Return the line of a melody."""
    return Contour.of(melody.pitch, melody.iois)


def _histogram(line: Contour) -> F32:
    """Return the square root of the share of each pitch, by length, shape (129,): its norm is 1."""
    place = np.clip(line.pitch.astype(np.int64), -SPAN + LARGEST_SHIFT, SPAN - LARGEST_SHIFT) + SPAN
    shares = np.bincount(place, line.importance, 2 * SPAN + 1) / line.importance.sum()
    histogram: F32 = np.sqrt(shares).astype(np.float32)
    return histogram
