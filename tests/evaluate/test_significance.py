"""Intervals and tests over listeners."""

import numpy as np
import pytest

from recsys.errors import InputError
from recsys.evaluate.significance import difference_interval, mean_interval, paired_p_value

RNG_SEED = 11


def test_interval_is_that_of_the_normal_law() -> None:
    """For many listeners the bootstrap agrees with mean +- 1.96 standard errors."""
    values = np.random.default_rng(RNG_SEED).exponential(size=4000)
    error = values.std() / np.sqrt(len(values))

    interval = mean_interval(values, seed=1)

    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 200 samples of 60 listeners, about 95 % of the intervals hold the true mean."""
    rng = np.random.default_rng(RNG_SEED)
    intervals = [mean_interval(rng.random(60), seed=n) for n in range(200)]

    covered = np.mean([interval.low <= 0.5 <= interval.high for interval in intervals])

    assert 0.9 <= covered <= 0.99


def test_listeners_without_evidence_are_left_out() -> None:
    """NaN is no listener; without any listener everything is NaN."""
    values = np.array([1.0, np.nan, 0.0, 1.0])

    assert mean_interval(values, seed=1) == mean_interval(values[~np.isnan(values)], seed=1)
    assert mean_interval(values, seed=1).n_users == 3
    assert np.isnan(mean_interval(np.array([np.nan]), seed=1)[:3]).all()


def test_pairs_see_what_means_hide() -> None:
    """A small gain of every listener is certain as a pair, though the two intervals overlap."""
    rng = np.random.default_rng(RNG_SEED)
    baseline = rng.random(300)
    better = baseline + rng.normal(0.01, 0.02, 300)

    assert mean_interval(better, seed=1).low < mean_interval(baseline, seed=1).high
    assert difference_interval(better, baseline, seed=1).low > 0
    assert paired_p_value(better, baseline) < 1e-6


def test_no_difference_is_no_evidence() -> None:
    """The same values give an interval of zero and a p-value of 1; no listeners give NaN."""
    values = np.array([0.2, 0.4, np.nan])

    assert difference_interval(values, values, seed=1)[:3] == (0, 0, 0)
    assert paired_p_value(values, values) == 1
    assert np.isnan(paired_p_value(np.array([np.nan]), np.array([0.1])))


def test_p_value_is_uniform_under_no_effect() -> None:
    """Where nothing differs but luck, about one in twenty p-values lies below 0.05."""
    rng = np.random.default_rng(RNG_SEED)

    false_alarms = np.mean([paired_p_value(rng.random(40), rng.random(40)) < 0.05 for _ in range(300)])

    assert 0.02 <= false_alarms <= 0.09


def test_other_listeners_are_refused() -> None:
    """A pair is one listener; two lengths cannot be paired."""
    with pytest.raises(InputError, match="3 values against 2"):
        difference_interval(np.zeros(3), np.zeros(2), seed=1)
