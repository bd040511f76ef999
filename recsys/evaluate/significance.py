"""
Statistical significance: bootstrap intervals and paired tests, one observation per listener.

Conventions: values are per listener. NaN is left out; a pair is left out if either value is NaN. Bootstrap samples are
drawn from listeners, never from plays, with a given seed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.columns import BASELINE, DIFFERENCE, HIGH, LOW, N_USERS, P_VALUE, RECOMMENDER, Column, schema
from recsys.errors import InputError
from recsys.evaluate.bootstrap import bootstrap_means
from recsys.evaluate.sign_flips import sign_flip_p_values

COMPARISON_COLUMNS = (
    *(RECOMMENDER, BASELINE, DIFFERENCE, LOW, HIGH),
    *(Column("ratio", pl.Float64()), Column("ratio_low", pl.Float64()), Column("ratio_high", pl.Float64())),
    *(P_VALUE, Column("p_holm", pl.Float64()), N_USERS),
)


class Interval(NamedTuple):
    """A mean over `n_users` listeners and its bootstrap interval. mean, low and high are NaN if n_users is 0."""

    mean: float
    low: float
    high: float
    n_users: int


def mean_interval(values: F64, *, seed: int, level: float = 0.95) -> Interval:
    """
    Return the mean of a metric over listeners, with its percentile bootstrap interval.

    Args:
        values: One value per listener, shape (n_users,); NaN is left out.
        seed: Seed of the bootstrap.
        level: Confidence level, between 0 and 1.

    Source:
        Efron, Tibshirani, An Introduction to the Bootstrap (1993), 13.3.
    """
    return mean_intervals(values[~np.isnan(values), None], seed=seed, level=level)[0]


def mean_intervals(values: F64, *, seed: int, level: float = 0.95) -> list[Interval]:
    """
    Return the mean and interval of each column of `values`, all from the same bootstrap samples.

    If a column contains NaN, the number of values per sample varies; the interval includes this variation.

    Args:
        values: One row per listener. Shape (n_users, n_columns).
        seed: Seed of the bootstrap.
        level: Confidence level, between 0 and 1.
    """
    n_users = (~np.isnan(values)).sum(axis=0)
    if not len(values):
        return [Interval(float("nan"), float("nan"), float("nan"), 0)] * values.shape[1]
    means = np.nansum(values, axis=0) / np.where(n_users > 0, n_users, np.nan)
    lows, highs = _ends(bootstrap_means(values, seed=seed), level)
    # Where all values are equal, rounding must not put the mean outside its interval.
    ends = np.minimum(lows, means), np.maximum(highs, means)
    rows = zip(means.tolist(), ends[0].tolist(), ends[1].tolist(), n_users.tolist(), strict=True)
    return [Interval(*row) for row in rows]


def difference_interval(values: F64, baseline: F64, *, seed: int, level: float = 0.95) -> Interval:
    """Return the mean of `values - baseline` with its interval. Both hold the same listeners in the same order."""
    return mean_interval(_difference(values, baseline), seed=seed, level=level)


def ratio_interval(values: F64, baseline: F64, *, seed: int, level: float = 0.95) -> Interval:
    """
    Return the mean of `values` divided by the mean of `baseline`, with its interval.

    Both hold the same listeners in the same order. All but n_users are NaN if the baseline's mean is 0.
    """
    pairs = np.stack([values, baseline], axis=1)[~np.isnan(_difference(values, baseline))]
    if not pairs[:, 1].any():
        return Interval(float("nan"), float("nan"), float("nan"), len(pairs))
    means = bootstrap_means(pairs, seed=seed)
    ratios = means[:, 0] / np.where(means[:, 1] == 0, np.nan, means[:, 1])
    low, high = _ends(ratios, level)
    return Interval(float(pairs[:, 0].mean() / pairs[:, 1].mean()), float(low), float(high), len(pairs))


def paired_p_value(values: F64, baseline: F64, *, seed: int) -> float:
    """
    Return the two-sided p-value of the mean of `values - baseline`; NaN if there are no pairs.

    It is that of a permutation test by listener (see `evaluate.sign_flips`). Both hold the same listeners in the same
    order.
    """
    return float(sign_flip_p_values(_difference(values, baseline)[:, None], seed=seed)[0])


def holm_adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """
    Return Holm-Bonferroni adjusted p-values, which control the family-wise error rate of all these tests.

    NaN means that a test could not be made: it stays NaN and is not counted as a test.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure (1979).

    >>> holm_adjusted({"als": 0.01, "lightfm": 0.03, "popular": 0.02})
    {'als': 0.03, 'lightfm': 0.04, 'popular': 0.04}
    """
    tested = sorted((p, name) for name, p in p_values.items() if not np.isnan(p))
    adjusted, highest = dict(p_values), 0.0
    for n_before, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - n_before)))
        adjusted[name] = highest
    return adjusted


def compare_paired(values: Mapping[str, F64], baseline: str, *, seed: int) -> pl.DataFrame:
    """
    Compare every recommender with the baseline, paired by listener.

    Args:
        values: Values by recommender, one per listener, in the same order for all; pairs with NaN are left out.
        baseline: The recommender in `values` to compare with.
        seed: Seed of the bootstrap and of the permutation test.

    Returns:
        One row per other recommender, with COMPARISON_COLUMNS: difference and ratio of the means with their 95 %
        intervals, the p-value of the difference (see `evaluate.sign_flips`), the p-value adjusted for all rows (Holm),
        and n_users. Null if there are no pairs; the ratio is also null if the baseline's mean is 0.

    Raises:
        InputError: The baseline is not in `values`, or the numbers of values differ.
    """
    if baseline not in values:
        raise InputError(f"baseline: found {baseline!r}, expected one of {', '.join(sorted(values))}")
    base, others = values[baseline], {name: column for name, column in values.items() if name != baseline}
    p_values = {name: paired_p_value(column, base, seed=seed) for name, column in others.items()}
    adjusted = holm_adjusted(p_values)
    rows = []
    for name, column in others.items():
        difference = difference_interval(column, base, seed=seed)
        ratio = ratio_interval(column, base, seed=seed)
        rows.append((name, baseline, *difference[:3], *ratio[:3], p_values[name], adjusted[name], ratio.n_users))
    return pl.DataFrame(rows, schema(COMPARISON_COLUMNS), orient="row").fill_nan(None)


def interval_of(values: F64, n_users: int) -> Interval:
    """Return the estimate `values[0]` with its 95 % interval; `values[1:]` are the bootstrap estimates."""
    value, samples = float(values[0]), values[1:]
    low, high = np.nanquantile(samples, [0.025, 0.975]) if not np.isnan(samples).all() else (np.nan, np.nan)
    return Interval(value, min(float(low), value), max(float(high), value), n_users)


def _ends(samples: F64, level: float) -> F64:
    """Return low and high of the percentile interval over the first axis, shape (2, ...); NaN is left out."""
    sides = [(1 - level) / 2, (1 + level) / 2]
    empty = np.isnan(samples)
    if not empty.any():
        return np.quantile(samples, sides, axis=0)
    ends: F64 = np.nanquantile(np.where(empty.all(axis=0), 0, samples), sides, axis=0)
    return np.where(empty.all(axis=0), np.nan, ends)


def _difference(values: F64, baseline: F64) -> F64:
    if values.shape != baseline.shape:
        raise InputError(
            f"values: found {len(values):,}, but the baseline has {len(baseline):,}; expected one value for each "
            "of the same listeners"
        )
    return values - baseline
