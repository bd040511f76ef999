"""The paired permutation test: against enumeration by hand, scipy's, and the interval beside it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import permutation_test, wilcoxon

from recsys.arrays import F64
from recsys.evaluate import sign_flips
from recsys.evaluate.sign_flips import MAX_EXACT, N_DRAWS, sign_flip_p_values
from recsys.evaluate.significance import difference_interval, paired_p_value

RNG_SEED = 11


def brute_force(differences: list[float]) -> float:
    """Share of all assignments of signs whose absolute sum is at least the observed one, in whole numbers."""
    whole = [round(value * 1000) for value in differences]
    sums = [sum(sign * value for sign, value in zip(signs, whole, strict=True)) for signs in all_signs(len(whole))]
    return sum(abs(total) >= abs(sum(whole)) for total in sums) / len(sums)


def all_signs(n: int) -> list[tuple[int, ...]]:
    """List all assignments of signs to n differences."""
    return list(product((1, -1), repeat=n))


def p_value(differences: list[float] | F64, seed: int = 1) -> float:
    """Return the p-value of one column."""
    return float(sign_flip_p_values(np.array(differences, float)[:, None], seed=seed)[0])


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=8))
def test_few_listeners_are_enumerated(thousandths: list[int]) -> None:
    """The p-value is exactly that of all assignments, also where differences are equal, opposite or 0."""
    differences = [value / 1000 for value in thousandths]

    assert p_value(differences) == brute_force(differences)


def test_five_gains_by_hand() -> None:
    """Of 32 assignments, only 'all gains' and 'all losses' are as extreme as five equal gains: 2 / 32."""
    assert p_value([0.1] * 5) == 2 / 32


def test_draws_agree_with_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    """For 12 listeners, random assignments give the exact p-value within their sampling error."""
    differences = np.random.default_rng(RNG_SEED).normal(0.1, 0.3, 12)
    exact = p_value(differences)

    monkeypatch.setattr(sign_flips, "MAX_EXACT", 0)

    assert p_value(differences) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / N_DRAWS))


def test_draws_agree_with_scipy() -> None:
    """For many listeners, the p-value is that of scipy's permutation test within the sampling error of both."""
    differences = np.random.default_rng(RNG_SEED).normal(0.04, 0.3, 150)

    reference = permutation_test(
        (differences, np.zeros(150)), lambda one, two: (one - two).mean(), permutation_type="samples", rng=1
    ).pvalue

    assert 0.01 < reference < 0.5
    assert p_value(differences) == pytest.approx(reference, abs=0.02)


@pytest.mark.parametrize("n", [1, 2, MAX_EXACT, MAX_EXACT + 1, 200])
def test_no_difference_is_no_evidence(n: int) -> None:
    """If all differences are 0, the p-value is 1."""
    assert p_value([0.0] * n) == 1


def test_one_listener_is_no_evidence() -> None:
    """A single difference of any size has p-value 1, also among listeners without a difference."""
    assert p_value([0.7]) == 1
    assert p_value([0.0] * 500 + [0.7]) == 1


def test_gains_and_losses_that_cancel_are_no_evidence() -> None:
    """If the sum is 0 up to rounding, every assignment is as extreme."""
    assert p_value([0.1, 0.2, -0.3]) == 1
    assert p_value([0.1, 0.2, -0.3] * 20) == 1


def test_missing_values_are_left_out() -> None:
    """NaN changes nothing; a column without a value has no p-value; columns do not affect each other."""
    values = np.random.default_rng(RNG_SEED).normal(0.05, 0.3, 30)
    table = np.column_stack([np.append(values, np.nan), np.full(31, np.nan), np.append(0.1 + values, 0.0)])

    p_values = sign_flip_p_values(table, seed=1)

    assert p_values[0] == p_value(np.append(values, 0.0))
    assert np.isnan(p_values[1])
    assert_array_equal(sign_flip_p_values(np.empty((0, 2)), seed=1), [np.nan, np.nan])


def test_the_smallest_p_value_is_that_of_one_in_all_draws() -> None:
    """The p-value is never 0, however large the difference."""
    assert p_value(np.full(100, 0.5)) == 1 / (N_DRAWS + 1)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same p-value in blocks of any size; the order of the two recommenders does not matter."""
    differences = np.random.default_rng(RNG_SEED).normal(0.05, 0.3, (60, 2))
    whole = sign_flip_p_values(differences, seed=5)

    monkeypatch.setattr(sign_flips, "MAX_SIGNS_IN_MEMORY", 60 * 128)

    assert_allclose(sign_flip_p_values(differences, seed=5), whole)
    assert_allclose(sign_flip_p_values(-differences, seed=5), whole)
    assert (sign_flip_p_values(differences, seed=6) != whole).any()


def test_p_values_are_uniform_under_no_effect() -> None:
    """Without a true difference, about one in twenty of 400 p-values is below 0.05, and half are below 0.5."""
    p_values = sign_flip_p_values(np.random.default_rng(RNG_SEED).laplace(0, 1, (40, 400)), seed=1)

    assert 0.03 <= (p_values < 0.05).mean() <= 0.075
    assert 0.43 <= (p_values < 0.5).mean() <= 0.57


def test_the_p_value_agrees_with_the_interval() -> None:
    """Where most listeners have no difference and few gain much, p and interval agree; a test of ranks does not."""
    values = np.zeros(600)
    values[:14], values[14:28] = 0.6, -0.05

    assert difference_interval(values, np.zeros(600), seed=1).low > 0
    assert paired_p_value(values, np.zeros(600), seed=1) < 0.01
    assert wilcoxon(values, zero_method="zsplit").pvalue > 0.05


def test_p_and_interval_say_the_same_of_many_samples() -> None:
    """Of 200 samples with small effects, at most 3 % have p < 0.05 beside an interval with 0, or the reverse."""
    rng = np.random.default_rng(RNG_SEED)
    samples = rng.normal(0.03, 0.3, (400, 200)) * (rng.random((400, 200)) < 0.3)
    is_significant = sign_flip_p_values(samples, seed=1) < 0.05

    intervals = [difference_interval(column, np.zeros(400), seed=1) for column in samples.T]

    excludes_0 = np.array([interval.low > 0 or interval.high < 0 for interval in intervals])
    assert 0.1 < is_significant.mean() < 0.9
    assert (is_significant != excludes_0).mean() <= 0.03
