"""
Short figures that melodies have in common: three successive notes, by their intervals and the ratios of their lengths.

Figures are compared wherever they stand, so that parts in another order, which an alignment cannot follow, still count.
Rare ones count more: melodies are vectors of the square roots of how often they have each figure, weighted by
log(1 + melodies / melodies with the figure), and the share that they have in common is the cosine of their vectors.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.arrays import F64, I64, Csr
from recsys.matching.tunes.melody import Melody

LARGEST_INTERVAL = 12  # semitones; a larger one counts as this
LARGEST_RATIO = 4  # of successive lengths, as steps of half a factor of two
N_STEPS = (2 * LARGEST_INTERVAL + 1) * (2 * LARGEST_RATIO + 1)  # different pairs of interval and ratio
DIGITS = 9  # of a share: equal melodies have 1 exactly


@dataclass(frozen=True, eq=False)
class FigureIndex:
    """
    Figures of a collection.

    Attributes:
        weights: Weight of each figure, shape (N_STEPS ** 2,).
        vectors: Unit vectors of the melodies, shape (n_melodies, N_STEPS ** 2); zero for one without a figure.
    """

    weights: F64
    vectors: Csr

    @classmethod
    def of(cls, melodies: tuple[Melody, ...]) -> "FigureIndex":
        """Return the figures of melodies."""
        counts = _counts(melodies)
        n_with = np.bincount(counts.indices, minlength=counts.shape[1])
        weights = np.log1p(len(melodies) / np.maximum(n_with, 1))
        return cls(weights, _unit_vectors(counts, weights))

    def shares(self, melody: Melody, rows: I64) -> F64:
        """Return the share of figures that a melody has in common with those of these rows, shape (n_rows,), 0..1."""
        query = _unit_vectors(_counts((melody,)), self.weights)
        shares: F64 = np.round((self.vectors[rows] @ query.T).toarray()[:, 0], DIGITS)
        return shares


def _counts(melodies: tuple[Melody, ...]) -> Csr:
    """Return how often each melody has each figure."""
    figures = [_figures(melody) for melody in melodies]
    ends = np.cumsum([0, *map(len, figures)])
    counts = sparse.csr_matrix(
        (np.ones(ends[-1]), np.concatenate(figures), ends), shape=(len(melodies), N_STEPS**2), dtype=np.float64
    )
    counts.sum_duplicates()
    return counts


def _figures(melody: Melody) -> I64:
    """Return the number of each figure of a melody, shape (max(n - 2, 0),)."""
    interval = np.clip(np.diff(melody.pitch), -LARGEST_INTERVAL, LARGEST_INTERVAL)
    ratio = np.rint(2 * np.log2(melody.iois[1:] / melody.iois[:-1])).astype(np.int64)
    ratio = np.clip(ratio, -LARGEST_RATIO, LARGEST_RATIO)
    steps = (interval + LARGEST_INTERVAL) * (2 * LARGEST_RATIO + 1) + ratio + LARGEST_RATIO
    return np.asarray(steps[:-1] * N_STEPS + steps[1:], np.int64)


def _unit_vectors(counts: Csr, weights: F64) -> Csr:
    vectors = counts.sqrt() @ sparse.diags(weights)
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1))[:, 0])
    return sparse.csr_matrix(sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ vectors)
