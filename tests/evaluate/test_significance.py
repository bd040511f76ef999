"""Bootstrap intervals and paired tests over listeners."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recsys.columns import schema
from recsys.errors import InputError
from recsys.evaluate import bootstrap
from recsys.evaluate.bootstrap import N_DRAWS, bootstrap_means
from recsys.evaluate.significance import (
    COMPARISON_COLUMNS,
    compare_paired,
    difference_interval,
    holm_adjusted,
    mean_interval,
    mean_intervals,
    paired_p_value,
    ratio_interval,
)

RNG_SEED = 11


def test_interval_agrees_with_the_normal_approximation() -> None:
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
    """NaN values are left out; without any value everything is NaN."""
    values = np.array([1.0, np.nan, 0.0, 1.0])

    assert mean_interval(values, seed=1) == mean_interval(values[~np.isnan(values)], seed=1)
    assert mean_interval(values, seed=1).n_users == 3
    assert np.isnan(mean_interval(np.array([np.nan]), seed=1)[:3]).all()


def test_pairing_finds_what_separate_means_hide() -> None:
    """A small gain of every listener is significant in pairs, although the intervals of the means overlap."""
    rng = np.random.default_rng(RNG_SEED)
    baseline = rng.random(300)
    better = baseline + rng.normal(0.01, 0.02, 300)

    assert mean_interval(better, seed=1).low < mean_interval(baseline, seed=1).high
    assert difference_interval(better, baseline, seed=1).low > 0
    assert paired_p_value(better, baseline, seed=1) == 1e-4  # of 10,000 assignments, none is as extreme


def test_equal_values_show_no_difference() -> None:
    """Equal values give the interval 0..0 and the p-value 1; no listeners give NaN."""
    values = np.array([0.2, 0.4, np.nan])

    assert difference_interval(values, values, seed=1)[:3] == (0, 0, 0)
    assert paired_p_value(values, values, seed=1) == 1
    assert np.isnan(paired_p_value(np.array([np.nan]), np.array([0.1]), seed=1))


def test_p_value_is_uniform_under_no_effect() -> None:
    """Without a true difference, about one in twenty p-values is below 0.05."""
    rng = np.random.default_rng(RNG_SEED)

    false_alarms = np.mean([paired_p_value(rng.random(40), rng.random(40), seed=1) < 0.05 for _ in range(300)])

    assert 0.02 <= false_alarms <= 0.09


def test_different_numbers_of_listeners_are_refused() -> None:
    """A pair is one listener, so both sides must have the same length."""
    with pytest.raises(InputError, match="found 3, but the baseline has 2"):
        difference_interval(np.zeros(3), np.zeros(2), seed=1)


def test_columns_share_their_samples() -> None:
    """A doubled column has doubled means in every sample, and missing values of one column do not affect the others."""
    values = np.random.default_rng(RNG_SEED).random((50, 1)) * [1.0, 2.0, 1.0]
    values[:5, 2] = np.nan

    means = bootstrap_means(values, seed=1)

    assert means.shape == (N_DRAWS, 3)
    assert_allclose(means[:, 1], 2 * means[:, 0])
    assert mean_intervals(values, seed=1)[0] == pytest.approx(mean_interval(values[:, 0], seed=1))
    assert mean_intervals(values, seed=1)[2][3] == 45


def test_cached_samples_equal_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are identical with and without the cache."""
    values = np.random.default_rng(RNG_SEED).random((40, 2))
    cached = [bootstrap_means(values, seed=3) for _ in range(2)]
    monkeypatch.setattr(bootstrap, "MAX_CACHED_COUNTS", 0)

    fresh = bootstrap_means(values, seed=3)

    assert all((means == fresh).all() for means in cached)
    assert (bootstrap_means(values, seed=4) != fresh).any()


def test_a_mean_lies_within_its_interval() -> None:
    """Rounding does not put the mean of equal values outside."""
    interval = mean_interval(np.full(37, 0.1), seed=1)

    assert interval.low <= interval.mean <= interval.high
    assert interval == pytest.approx((0.1, 0.1, 0.1, 37))


def test_ratio_of_means_by_hand() -> None:
    """Twice the baseline for every listener is a ratio of exactly 2; with a baseline of 0 there is no ratio."""
    baseline = np.array([0.1, 0.3, np.nan, 0.5])

    assert ratio_interval(2 * baseline, baseline, seed=1) == pytest.approx((2, 2, 2, 3))
    assert np.isnan(ratio_interval(baseline, 0 * baseline, seed=1)[:3]).all()


def test_ratio_covers_the_truth_as_often_as_it_says() -> None:
    """Of 100 samples of 80 pairs, about 95 % of the intervals hold the true ratio."""
    rng = np.random.default_rng(RNG_SEED)
    bases = rng.random((100, 80))
    intervals = [ratio_interval(base * 1.2 + rng.normal(0, 0.2, 80), base, seed=n) for n, base in enumerate(bases)]

    assert 0.88 <= np.mean([interval.low <= 1.2 <= interval.high for interval in intervals]) <= 1


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order(p_values: dict[str, float]) -> None:
    """Adjusted values are between the raw value and 1, in the same order; the least is multiplied by all tests."""
    adjusted = holm_adjusted(p_values)

    assert list(adjusted) == list(p_values)
    assert all(p_values[name] <= adjusted[name] <= 1 for name in p_values)
    ordered = [adjusted[name] for name in sorted(p_values, key=lambda name: p_values[name])]
    assert ordered == sorted(ordered)
    assert not p_values or min(adjusted.values()) == min(1, min(p_values.values()) * len(p_values))


def test_holm_leaves_out_missing_tests() -> None:
    """NaN stays NaN and does not count as a test."""
    assert holm_adjusted({"a": 0.04, "b": float("nan")}) == {"a": 0.04, "b": pytest.approx(float("nan"), nan_ok=True)}


def test_a_comparison_agrees_with_its_parts() -> None:
    """One row per other recommender, with the pair's difference, ratio and p-value; Holm over all rows."""
    rng = np.random.default_rng(RNG_SEED)
    base = rng.random(200)
    values = {"base": base, "better": base + rng.normal(0.02, 0.05, 200), "same": base + rng.normal(0, 0.05, 200)}

    table = compare_paired(values, "base", seed=3)

    assert table.schema == schema(COMPARISON_COLUMNS)
    assert table["recommender"].to_list() == ["better", "same"]
    better = table.row(0, named=True)
    assert (better["difference"], better["low"], better["high"], better["n_users"]) == pytest.approx(
        difference_interval(values["better"], base, seed=3)
    )
    assert better["ratio"] == pytest.approx(values["better"].mean() / base.mean())
    assert better["ratio_low"] > 1
    assert dict(table.select("recommender", "p_holm").iter_rows()) == holm_adjusted(
        dict(table.select("recommender", "p_value").iter_rows())
    )


def test_comparison_without_evidence_is_null() -> None:
    """Without a common listener there is no difference, ratio or test."""
    table = compare_paired({"a": np.array([np.nan]), "b": np.array([0.5])}, "b", seed=1)

    assert table.select(pl.exclude("recommender", "baseline", "n_users")).row(0) == (None,) * 8
    assert table["n_users"].to_list() == [0]


def test_an_unknown_baseline_is_refused() -> None:
    """The message lists the known ones."""
    with pytest.raises(InputError, match="baseline: found 'popular', expected one of als, ease"):
        compare_paired({"ease": np.zeros(1), "als": np.zeros(1)}, "popular", seed=1)
