"""Confidence weights by strength and age."""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.interactions import History
from recsys.recommenders.parts.confidence import confidence, mean_normalised


def history(strengths: list[float], age_days: list[float]) -> History:
    """The history of one listener, one track per strength."""
    return History(
        sp.csr_matrix(np.array([strengths], np.float32)),
        np.array(age_days, np.float32),
        np.full(len(age_days), -1, np.int16),
    )


def data_of(weights: Csr) -> list[float]:
    """The weights without their positions, rounded."""
    return [round(float(value), 6) for value in weights.data]


def test_the_exponent_damps_strengths() -> None:
    """Exponent 0: all weights 1; 1: the strengths; 0.5: their square roots."""
    likes = history([1, 4, 9], [0, 0, 0])

    assert data_of(confidence(likes, exponent=0)) == [1, 1, 1]
    assert data_of(confidence(likes, exponent=0.5)) == [1, 2, 3]
    assert data_of(confidence(likes, exponent=1)) == [1, 4, 9]


def test_weights_decay_with_age() -> None:
    """At recency 1 the weight is 1 / (1 + age / 30 days): a half after 30 days, a quarter after 90."""
    assert data_of(confidence(history([5, 5, 5], [0, 30, 90]), exponent=0, recency=1)) == [1, 0.5, 0.25]


def test_weights_are_never_zero() -> None:
    """Even very old interactions keep a weight above 0, so no history becomes empty."""
    assert confidence(history([1], [1e30]), exponent=0, recency=2).data[0] > 0


def test_mean_normalised_weights_have_mean_one_per_listener() -> None:
    """Weights 1 and 3 become 0.5 and 1.5; a listener without interactions has no weights."""
    weights = sp.csr_matrix(np.array([[1, 3], [0, 0]], np.float32))

    assert data_of(mean_normalised(weights)) == [0.5, 1.5]
