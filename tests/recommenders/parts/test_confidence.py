"""What a like weighs by strength and age."""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.interactions import History
from recsys.recommenders.parts.confidence import confidence, mean_normalised


def history(strengths: list[float], age_days: list[float]) -> History:
    """One listener's likes, a track each."""
    return History(
        sp.csr_matrix(np.array([strengths], np.float32)),
        np.array(age_days, np.float32),
        np.full(len(age_days), -1, np.int16),
    )


def data_of(weights: Csr) -> list[float]:
    """The weights alone, rounded."""
    return [round(float(value), 6) for value in weights.data]


def test_an_exponent_tames_the_strengths() -> None:
    """0 makes all alike, 1 leaves them, a half takes the root."""
    likes = history([1, 4, 9], [0, 0, 0])

    assert data_of(confidence(likes, exponent=0)) == [1, 1, 1]
    assert data_of(confidence(likes, exponent=0.5)) == [1, 2, 3]
    assert data_of(confidence(likes, exponent=1)) == [1, 4, 9]


def test_a_month_halves_and_a_quarter_year_quarters() -> None:
    """At recency 1 a like weighs 1 / (1 + age / 30 days)."""
    assert data_of(confidence(history([5, 5, 5], [0, 30, 90]), exponent=0, recency=1)) == [1, 0.5, 0.25]


def test_a_like_of_long_ago_stays_one() -> None:
    """However old, a weight is above 0, so that its listener is never taken for one without likes."""
    assert confidence(history([1], [1e30]), exponent=0, recency=2).data[0] > 0


def test_the_mean_of_each_listener_is_one() -> None:
    """Weights 1 and 3 become a half and one and a half; a listener without likes has none."""
    weights = sp.csr_matrix(np.array([[1, 3], [0, 0]], np.float32))

    assert data_of(mean_normalised(weights)) == [0.5, 1.5]
