"""
Is a difference more than luck? Listeners are drawn again, never single plays: one listener is one observation.

Conventions: one value a listener; NaN (no evidence) is left out, in a pair on either side; the dice come in as a seed.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import wilcoxon

from recsys.errors import InputError
from recsys.evaluate.ranking import F64

N_DRAWS = 2000
N_CELLS = 4_000_000  # drawn values held at once


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
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    low, high = np.quantile(_drawn_means(known, seed), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(known.mean()), float(low), float(high), len(known))


def difference_interval(values: F64, baseline: F64, *, seed: int, level: float = 0.95) -> Interval:
    """Interval of the mean of `values - baseline`, both of the same listeners in the same order."""
    return mean_interval(_difference(values, baseline), seed=seed, level=level)


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


def _difference(values: F64, baseline: F64) -> F64:
    if values.shape != baseline.shape:
        raise InputError(f"{len(values):,} values against {len(baseline):,}; expected the same listeners on both sides")
    return values - baseline


def _drawn_means(values: F64, seed: int) -> F64:
    """Return the means of `N_DRAWS` samples as large as `values`, shape (N_DRAWS,)."""
    rng = np.random.default_rng(seed)
    n_at_once = max(1, N_CELLS // len(values))
    sizes = [min(n_at_once, N_DRAWS - start) for start in range(0, N_DRAWS, n_at_once)]
    return np.concatenate([values[rng.integers(len(values), size=(size, len(values)))].mean(axis=1) for size in sizes])
