"""Item kNN: BM25 weights and neighbours, on matrices small enough to check by hand."""

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.recommenders.item_knn import bm25, divide_by_norm, neighbours

COUNTS = np.array(
    # Three documents with 1, 2 and 3 terms; the terms occur in three, two and one of them.
    [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
    ],
    np.float32,
)
VECTORS = np.array(
    # Tracks 0 and 1 have the same direction, track 2 is at 45 degrees to it; nobody likes track 3.
    [
        [1, 0],
        [2, 0],
        [1, 1],
        [0, 0],
    ],
    np.float64,
)


def test_bm25_follows_the_formula() -> None:
    """With k1 = b = 1 the weight is idf * 2 / (1 + length / 2), where idf = ln(1 + (3 - n + 0.5) / (n + 0.5))."""
    weights = bm25(sp.csr_matrix(COUNTS), saturation=1.0, length_norm=1.0).toarray()

    idf = np.log([1 + 0.5 / 3.5, 1 + 1.5 / 2.5, 1 + 2.5 / 1.5])
    saturated = np.array([2 / 1.5, 2 / 2, 2 / 2.5])
    np.testing.assert_allclose(weights, COUNTS * saturated[:, None] * idf)


def test_repeated_plays_saturate() -> None:
    """Without length normalisation the weight tends to idf * (k1 + 1), twice that of a single play at k1 = 1."""
    weights = bm25(sp.csr_matrix([[1.0, 1e6]]), saturation=1.0, length_norm=0.0).toarray()[0]

    assert weights[1] / weights[0] == pytest.approx(2.0, rel=1e-5)


def test_neighbours_are_the_nearest_by_cosine() -> None:
    """Each track has its nearest neighbour, never itself; a track that nobody likes has no neighbours."""
    unit = divide_by_norm(sp.csr_matrix(VECTORS), 1.0)

    nearest = neighbours(unit, unit, 1).toarray()

    half = np.sqrt(0.5)
    np.testing.assert_allclose(nearest, [[0, 1, 0, 0], [1, 0, 0, 0], [half, 0, 0, 0], [0, 0, 0, 0]], atol=1e-6)


def test_a_lower_exponent_favours_larger_norms() -> None:
    """Divided by the root of its norm only, track 1 of norm 2 is nearer to track 2 than track 0 of norm 1."""
    vectors = sp.csr_matrix(VECTORS)

    nearest = neighbours(divide_by_norm(vectors, 1.0), divide_by_norm(vectors, 0.5), 1).toarray()

    assert nearest[2].argmax() == 1
