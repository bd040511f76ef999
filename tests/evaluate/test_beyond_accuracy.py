"""Coverage, Gini coefficient, novelty and popularity of recommendations."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recsys.dataset.features import Features
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.evaluate.beyond_accuracy import (
    RankedLists,
    average_popularity_at_k,
    coverage_at_k,
    exposure_gini_at_k,
    gini,
    novelty_at_k,
    popularity_lift_at_k,
)
from recsys.evaluate.ranking import evaluate_lists
from recsys.evaluate.training_profile import TrainingProfile

# Three lists over four tracks, which 8, 4, 2 and 0 of 8 training listeners like; the last list is empty. The first
# listener likes tracks 1 and 2, the second likes none, the third likes all.
LIKED = sp.csr_matrix(np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], np.bool_))
NO_FEATURES = Features(sp.csr_matrix((4, 0), dtype=np.float32), Vocab.of([], kind="feature"))
RANKED = np.array([[0, 1], [0, 3], [-1, -1]])
SHOWN = RankedLists(
    RANKED,
    TrainingProfile(LIKED, LIKED, np.array([8, 4, 2, 0]), 8, NO_FEATURES),
    evaluate_lists(RANKED, sp.csr_matrix((3, 4))),
    LIKED,
)
SHARES = st.lists(st.integers(0, 10**6), min_size=1).map(np.array)


def test_by_hand() -> None:
    """Three lists that a reader can count; an empty list has no value and no exposure."""
    assert coverage_at_k(SHOWN, 2) == 3 / 4
    assert coverage_at_k(SHOWN, 1) == 1 / 4
    assert exposure_gini_at_k(SHOWN, 1) == 3 / 4
    assert_allclose(average_popularity_at_k(SHOWN, 2), [0.75, 0.5, np.nan])
    assert_allclose(novelty_at_k(SHOWN, 2), [0.5, 1.5, np.nan])
    assert_allclose(popularity_lift_at_k(SHOWN, 2), [0.75 / 0.375 - 1, np.nan, np.nan])


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_gini_of_equal_shares_is_zero(n: int, share: int) -> None:
    """Equal shares are perfectly even."""
    assert gini(np.full(n, share)) == pytest.approx(0)


@given(SHARES, st.integers(1, 1000), st.integers(0, 2**32))
def test_gini_is_free_of_scale_and_order(shares: np.ndarray, scale: int, seed: int) -> None:
    """Neither the unit of the shares nor their order matters, and the value is in 0..1."""
    value = gini(shares)

    assert gini(np.random.default_rng(seed).permutation(shares) * scale) == pytest.approx(value, nan_ok=True)
    assert np.isnan(value) or -1e-9 <= value < 1


@given(SHARES)
def test_gini_equals_the_mean_difference(shares: np.ndarray) -> None:
    """The result equals the definition: half the mean absolute difference, relative to the mean."""
    pairwise = np.abs(np.subtract.outer(shares, shares)).mean()

    expected = pairwise / (2 * shares.mean()) if shares.any() else np.nan
    assert gini(shares) == pytest.approx(expected, nan_ok=True, abs=1e-9)


def test_k_out_of_range_is_refused() -> None:
    """A k above the length of the lists is an error."""
    with pytest.raises(InputError, match="k: found 3, expected 1 to 2"):
        coverage_at_k(SHOWN, 3)
