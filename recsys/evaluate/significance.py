"""
Is a difference more than luck? Listeners are drawn again, never single plays: one listener is one observation.

Conventions: one value a listener; NaN (no evidence) is left out, in a pair on either side; the dice come in as a seed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import wilcoxon

from recsys.arrays import F64
from recsys.columns import BASELINE, DIFFERENCE, HIGH, LOW, N_USERS, P_VALUE, RECOMMENDER, Column, schema
from recsys.errors import InputError
from recsys.evaluate.bootstrap import bootstrap_means

COMPARISON_COLUMNS = (
    *(RECOMMENDER, BASELINE, DIFFERENCE, LOW, HIGH),
    *(Column("ratio", pl.Float64()), Column("ratio_low", pl.Float64()), Column("ratio_high", pl.Float64())),
    *(P_VALUE, Column("p_holm", pl.Float64()), N_USERS),
)


class Interval(NamedTuple):
    """A mean over listeners and its bootstrap interval; all NaN without a listener."""

    mean: float
    low: float
    high: float
    n_users: int


def mean_interval(values: F64, *, seed: int, level: float = 0.95) -> Interval:
    """
    Mean and percentile interval of a per-listener metric, listeners drawn again with replacement.

    Args:
        values: One value a listener, shape (n_users,); NaN is left out.
        seed: Of the draws.
        level: Share of the bootstrap means inside the interval, 0..1.

    Source:
        Efron, Tibshirani, An Introduction to the Bootstrap (1993), 13.3.
    """
    return mean_intervals(values[~np.isnan(values), None], seed=seed, level=level)[0]


def mean_intervals(values: F64, *, seed: int, level: float = 0.95) -> list[Interval]:
    """
    Mean and interval of each column, shape (n_users, n_columns): all of them on the same draws of the same listeners.

    Where columns lack different listeners, a draw may hold more or fewer with a value: that is part of the luck.
    """
    n_users = (~np.isnan(values)).sum(axis=0)
    if not len(values):
        return [Interval(float("nan"), float("nan"), float("nan"), 0)] * values.shape[1]
    means = np.nansum(values, axis=0) / np.where(n_users > 0, n_users, np.nan)
    lows, highs = _ends(bootstrap_means(values, seed=seed), level)
    # A mean that no draw can change lies on both ends: rounding must not put it outside.
    ends = np.minimum(lows, means), np.maximum(highs, means)
    rows = zip(means.tolist(), ends[0].tolist(), ends[1].tolist(), n_users.tolist(), strict=True)
    return [Interval(*row) for row in rows]


def difference_interval(values: F64, baseline: F64, *, seed: int, level: float = 0.95) -> Interval:
    """Interval of the mean of `values - baseline`, both of the same listeners in the same order."""
    return mean_interval(_difference(values, baseline), seed=seed, level=level)


def ratio_interval(values: F64, baseline: F64, *, seed: int, level: float = 0.95) -> Interval:
    """
    Interval of the mean of `values` over the mean of `baseline`, both means of the same draws of the same listeners.

    All NaN but n_users where the baseline's mean is 0: there is no ratio to it.
    """
    pairs = np.stack([values, baseline], axis=1)[~np.isnan(_difference(values, baseline))]
    if not pairs[:, 1].any():
        return Interval(float("nan"), float("nan"), float("nan"), len(pairs))
    drawn = bootstrap_means(pairs, seed=seed)
    ratios = drawn[:, 0] / np.where(drawn[:, 1] == 0, np.nan, drawn[:, 1])
    low, high = _ends(ratios, level)
    return Interval(float(pairs[:, 0].mean() / pairs[:, 1].mean()), float(low), float(high), len(pairs))


def paired_p_value(values: F64, baseline: F64) -> float:
    """
    Two-sided p-value of Wilcoxon's signed-rank test that `values` and `baseline` do not differ; NaN without a listener.

    Source: Wilcoxon, Individual Comparisons by Ranking Methods (1945); equal pairs are split evenly (Pratt).
    """
    difference = _difference(values, baseline)
    difference = difference[~np.isnan(difference)]
    if not len(difference):
        return float("nan")
    return 1.0 if not difference.any() else float(wilcoxon(difference, zero_method="zsplit").pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """
    Raise p-values that were asked for together, so that below 0.05 means 1 in 20 for all of them at once.

    NaN was no test: it stays, and does not count among the tests.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure (1979).

    >>> holm({"als": 0.01, "lightfm": 0.03, "popular": 0.02})
    {'als': 0.03, 'lightfm': 0.04, 'popular': 0.04}
    """
    tested = sorted((p, name) for name, p in p_values.items() if not np.isnan(p))
    corrected, highest = dict(p_values), 0.0
    for n_before, (p, name) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - n_before)))
        corrected[name] = highest
    return corrected


def compare_paired(values: Mapping[str, F64], baseline: str, *, seed: int) -> pl.DataFrame:
    """
    Hold every other recommender against the baseline, listener by listener.

    Args:
        values: One value a listener of each recommender, all in the same order of listeners; NaN is left out of a pair.
        baseline: The name in `values` to compare with.
        seed: Of the draws.

    Returns:
        A row for each of the others: difference of the means and ratio of the means to the baseline's, each with its
        95 % interval, Wilcoxon's p-value, the same after Holm over all rows, and n_users. Null: no evidence, no ratio.

    Raises:
        InputError: There is no such baseline, or the values are not of the same listeners.
    """
    if baseline not in values:
        raise InputError(f"There is no {baseline!r} to compare with; expected one of {', '.join(sorted(values))}")
    base, others = values[baseline], {name: each for name, each in values.items() if name != baseline}
    p_values = {name: paired_p_value(each, base) for name, each in others.items()}
    corrected = holm(p_values)
    rows = []
    for name, each in others.items():
        difference = difference_interval(each, base, seed=seed)
        ratio = ratio_interval(each, base, seed=seed)
        rows.append((name, baseline, *difference[:3], *ratio[:3], p_values[name], corrected[name], ratio.n_users))
    return pl.DataFrame(rows, schema(COMPARISON_COLUMNS), orient="row").fill_nan(None)


def interval_of(values: F64, n_users: int) -> Interval:
    """Return the interval of a value, the first, from what draws gave, the others."""
    value, drawn = float(values[0]), values[1:]
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if not np.isnan(drawn).all() else (np.nan, np.nan)
    return Interval(value, min(float(low), value), max(float(high), value), n_users)


def _ends(drawn: F64, level: float) -> F64:
    """Ends of the interval that holds `level` of the drawn values, over the first axis; draws without evidence: out."""
    sides = [(1 - level) / 2, (1 + level) / 2]
    empty = np.isnan(drawn)
    if not empty.any():
        return np.quantile(drawn, sides, axis=0)
    ends: F64 = np.nanquantile(np.where(empty.all(axis=0), 0, drawn), sides, axis=0)
    return np.where(empty.all(axis=0), np.nan, ends)


def _difference(values: F64, baseline: F64) -> F64:
    if values.shape != baseline.shape:
        raise InputError(f"{len(values):,} values against {len(baseline):,}; expected the same listeners on both sides")
    return values - baseline
