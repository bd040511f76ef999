"""
What would another policy have earned? Answered from the log of the one that was shown, whose dice are known.

Conventions: a log has one row a decision; `propensity` is the exact probability with which the policy that was shown
chose what it chose, `target` that of the policy asked about. All three estimators are ratios of sums, so that one
interval serves them: listeners are independent, the decisions of one are not (cluster-robust delta method, Student's t
with one degree of freedom less than there are listeners). sql/queries/off_policy_value.sql gives the same.

Source:
    Horvitz, Thompson, A Generalization of Sampling Without Replacement (1952); Swaminathan, Joachims, The
    Self-Normalized Estimator for Counterfactual Learning (2015); Dudik, Langford, Li, Doubly Robust Policy Evaluation
    and Learning (2011); Owen, Monte Carlo Theory, Methods and Examples (2013), 9.2 and 9.3.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import t as student

from recsys.errors import InputError
from recsys.evaluate.ranking import F64

MIN_EFFECTIVE = 30.0  # decisions: with fewer the interval itself cannot be trusted


class Estimate(NamedTuple):
    """
    The value of a policy per decision, and what it rests on.

    Attributes:
        value: Mean reward.
        low: Lower end of the 95 % interval.
        high: Upper end.
        error: Standard error.
        n: Decisions in the log.
        n_listeners: Whose they are.
        n_effective: Decisions that weights of this kind are worth: (sum w)^2 / sum w^2.
        is_trusted: Whether that is enough.
    """

    value: float
    low: float
    high: float
    error: float
    n: int
    n_listeners: int
    n_effective: float
    is_trusted: bool


def ips(log: pl.DataFrame) -> Estimate:
    """
    Inverse propensity score: every reward counts target / propensity times. Unbiased, and wide.

    Args:
        log: user_id, propensity (0 < p <= 1), target (0..1), reward.

    Raises:
        InputError: A propensity or target is out of range, or the log is empty.
    """
    weight = _weights(log)
    return _ratio(log, weight, weight * _of(log, "reward"), np.ones(len(log)))


def snips(log: pl.DataFrame) -> Estimate:
    """
    Self-normalised: divided by the sum of the weights instead of their number. Slightly biased, and far narrower.

    Args and errors as of `ips`; NaN where the target policy would have chosen nothing in the log.
    """
    weight = _weights(log)
    return _ratio(log, weight, weight * _of(log, "reward"), weight)


def doubly_robust(log: pl.DataFrame) -> Estimate:
    """
    A model's guess, corrected by weighted rewards where it was wrong. Unbiased if the guess or the dice are right.

    Args:
        log: As of `ips`, and predicted: the reward guessed for what was chosen; predicted_target: the mean guess over
            what the target policy would have chosen, weighed by its probabilities.

    Raises:
        InputError: As `ips`.
    """
    weight = _weights(log)
    surprise = _of(log, "reward") - _of(log, "predicted")
    return _ratio(log, weight, _of(log, "predicted_target") + weight * surprise, np.ones(len(log)))


def _weights(log: pl.DataFrame) -> F64:
    propensity, target = _of(log, "propensity"), _of(log, "target")
    if not len(log):
        raise InputError("the log is empty; expected one row a decision")
    if not ((propensity > 0) & (propensity <= 1)).all():
        raise InputError(
            f"propensities run from {propensity.min():g} to {propensity.max():g}; expected above 0 and at most 1: what "
            "could never have been shown says nothing about what else could"
        )
    if not ((target >= 0) & (target <= 1)).all():
        raise InputError(f"target probabilities run from {target.min():g} to {target.max():g}; expected 0 to 1")
    return target / propensity


def _of(log: pl.DataFrame, name: str) -> F64:
    return log[name].cast(pl.Float64).to_numpy()


def _ratio(log: pl.DataFrame, weight: F64, above: F64, below: F64) -> Estimate:
    """Sum of `above` over sum of `below`, with the interval of a ratio whose terms come in clusters."""
    total = below.sum()
    value = above.sum() / total if total else np.nan
    residual = pl.DataFrame({"user_id": log["user_id"], "residual": above - value * below})
    by_listener = residual.group_by("user_id").agg(pl.col("residual").sum())["residual"].to_numpy()
    n_listeners = len(by_listener)
    error = width = np.nan
    if n_listeners > 1 and total:
        error = np.sqrt(n_listeners / (n_listeners - 1) * (by_listener**2).sum()) / total
        width = student.ppf(0.975, n_listeners - 1) * error
    n_effective = weight.sum() ** 2 / (weight**2).sum() if weight.any() else 0.0
    return Estimate(
        value=float(value),
        low=float(value - width),
        high=float(value + width),
        error=float(error),
        n=len(log),
        n_listeners=n_listeners,
        n_effective=float(n_effective),
        is_trusted=bool(n_effective >= MIN_EFFECTIVE),
    )
