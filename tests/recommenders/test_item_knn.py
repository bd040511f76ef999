"""Item neighbourhood: weights and neighbours that a reader can count."""

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.recommenders.item_knn import bm25, divide_by_norm, neighbours

COUNTS = np.array(
    # Three documents of 1, 2 and 3 words; one term in all three, one in two, one in one.
    [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
    ],
    np.float32,
)
AKIN = np.array(
    # Tracks 0 and 1 share a direction, track 2 half of it; nobody likes track 3.
    [
        [1, 0],
        [2, 0],
        [1, 1],
        [0, 0],
    ],
    np.float64,
)


def test_bm25_is_what_the_formula_says() -> None:
    """With k1 = 1 and b = 1 a word weighs idf * 2 / (1 + length / 2), and idf is ln(1 + (3 - n + 0.5) / (n + 0.5))."""
    weights = bm25(sp.csr_matrix(COUNTS), saturation=1.0, length_norm=1.0).toarray()

    idf = np.log([1 + 0.5 / 3.5, 1 + 1.5 / 2.5, 1 + 2.5 / 1.5])
    room = np.array([2 / 1.5, 2 / 2, 2 / 2.5])
    np.testing.assert_allclose(weights, COUNTS * room[:, None] * idf)


def test_a_word_ever_more_often_adds_ever_less() -> None:
    """Without a norm for length, no count weighs more than idf * (k1 + 1)."""
    weights = bm25(sp.csr_matrix([[1.0, 1e6]]), saturation=1.0, length_norm=0.0).toarray()[0]

    assert weights[1] / weights[0] == pytest.approx(2.0, rel=1e-5)


def test_neighbours_are_the_nearest_by_cosine() -> None:
    """The nearest comes along, no track is its own neighbour, and what nobody likes has none."""
    unit = divide_by_norm(sp.csr_matrix(AKIN), 1.0)

    akin = neighbours(unit, unit, 1).toarray()

    half = np.sqrt(0.5)
    np.testing.assert_allclose(akin, [[0, 1, 0, 0], [1, 0, 0, 0], [half, 0, 0, 0], [0, 0, 0, 0]], atol=1e-6)


def test_a_lower_power_favours_the_longer() -> None:
    """Divided by the root of its length only, track 1 of length 2 stands before track 0 of length 1."""
    vectors = sp.csr_matrix(AKIN)

    akin = neighbours(divide_by_norm(vectors, 1.0), divide_by_norm(vectors, 0.5), 1).toarray()

    assert akin[2].argmax() == 1
