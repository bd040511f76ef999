"""Confidence weights by strength and age."""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.interactions import History
from recsys.recommenders.parts.confidence import confidence, mean_normalised, n_later


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


def test_weights_decay_with_the_number_of_later_tracks() -> None:
    """At rank_recency 1 the weight is 1 / (1 + n / 30), whatever the ages in days; equal ages have equal weights."""
    ages = [500.0, 400.0, 500.0, 900.0]  # one later track than 500 days, three than 900

    weights = confidence(history([5, 5, 5, 5], ages), exponent=0, rank_recency=1)

    assert data_of(weights) == [round(30 / n, 6) for n in (31, 30, 31, 33)]


def test_later_tracks_are_counted_per_listener() -> None:
    """As plain loops count them, with ties, with listeners of the same ages, and with a listener without tracks."""
    rng = np.random.default_rng(2)
    likes = sp.random(9, 20, 0.4, format="csr", random_state=rng, dtype=np.float32)
    likes.data[:] = 1
    likes = sp.csr_matrix(likes.toarray() * (np.arange(9) != 4)[:, None])
    ages = rng.integers(0, 5, likes.nnz).astype(np.float32)

    counted = n_later(History(likes, ages, np.full(likes.nnz, -1, np.int16)))

    user = likes.tocoo().row
    expected = [int(((user == user[pair]) & (ages < ages[pair])).sum()) for pair in range(likes.nnz)]
    assert counted.tolist() == expected
    assert n_later(History(likes[4:5], ages[:0], np.empty(0, np.int16))).tolist() == []


def test_without_order_nothing_decays() -> None:
    """Where all ages are the same, no track is later than another."""
    likes = history([1, 1, 1], [7, 7, 7])

    assert data_of(confidence(likes, exponent=0, rank_recency=16)) == [1, 1, 1]


def test_weights_are_never_zero() -> None:
    """Even very old interactions keep a weight above 0, so no history becomes empty."""
    assert confidence(history([1], [1e30]), exponent=0, recency=2).data[0] > 0


def test_mean_normalised_weights_have_mean_one_per_listener() -> None:
    """Weights 1 and 3 become 0.5 and 1.5; a listener without interactions has no weights."""
    weights = sp.csr_matrix(np.array([[1, 3], [0, 0]], np.float32))

    assert data_of(mean_normalised(weights)) == [0.5, 1.5]
