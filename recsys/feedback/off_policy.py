"""
Off-policy evaluation: estimate the value of another policy from the log of the policy that was shown.

Conventions: a log has one row per decision. `propensity` is the probability with which the logging policy chose the
option, `target` the probability with which the evaluated policy would choose it. All three estimators are ratios of
sums, so one kind of interval serves them. Listeners are independent, decisions of one listener are not. Standard errors
are those of the delta method over listeners, as in sql/queries/off_policy_value.sql; the intervals are wider where few
heavy weights dominate (see `likelihood`).

Source:
    Horvitz, Thompson, A Generalization of Sampling Without Replacement (1952); Swaminathan, Joachims, The
    Self-Normalized Estimator for Counterfactual Learning (2015); Dudik, Langford, Li, Doubly Robust Policy Evaluation
    and Learning (2011); Owen, Monte Carlo Theory, Methods and Examples (2013), 9.2 and 9.3.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.arrays import F64
from recsys.errors import InputError
from recsys.feedback.likelihood import Sums, ratio_ends, standard_error

MIN_EFFECTIVE = 30.0  # decisions: with a smaller effective sample size, the interval cannot be trusted
FAR = 4.0  # largest distance of the mean weight from 1 that chance explains, in standard errors
Rewards = tuple[float, float]  # the least and the greatest possible reward


class Estimate(NamedTuple):
    """
    The estimated value of a policy per decision, with diagnostics.

    Attributes:
        value: Expected reward per decision.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        error: Standard error.
        n: Number of decisions in the log.
        n_listeners: Number of listeners in the log.
        n_effective: Effective number of decisions: (sum w)^2 / sum w^2.
        mean_weight: Mean importance weight. Its expectation is 1, unless propensities were logged wrongly or the
            logging policy never shows some options of the evaluated policy.
        is_trusted: Whether `n_effective` is at least MIN_EFFECTIVE and chance explains the mean weight.
    """

    value: float
    low: float
    high: float
    error: float
    n: int
    n_listeners: int
    n_effective: float
    mean_weight: float
    is_trusted: bool


def ips(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate by inverse propensity scoring: rewards are weighted by target / propensity. Unbiased, with wide intervals.

    Args:
        log: user_id, propensity (0 < p <= 1), target (0..1), reward.
        rewards: The least and the greatest possible reward.

    Raises:
        InputError: A propensity, target or reward is out of range, or the log is empty.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), np.ones(len(log)), rewards)


def snips(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate by self-normalised inverse propensity scoring: the weighted mean of rewards.

    It is slightly biased, with far narrower intervals than `ips`. Arguments and errors are those of `ips`. NaN if the
    evaluated policy would have chosen nothing in the log.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), weight, rewards)


def doubly_robust(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate with a reward model whose errors are corrected by importance weighting (doubly robust).

    Unbiased if either the model or the propensities are right.

    Args:
        log: As in `ips`, with two more columns: predicted, the model's reward for the chosen option, and
            predicted_target, its mean reward over all options with the evaluated policy's probabilities.
        rewards: As in `ips`.

    Raises:
        InputError: As in `ips`.
    """
    weight = _weights(log, rewards)
    residual = _of(log, "reward") - _of(log, "predicted")
    return _ratio(log, weight, _of(log, "predicted_target") + weight * residual, np.ones(len(log)), rewards)


def _weights(log: pl.DataFrame, rewards: Rewards) -> F64:
    propensity, target, reward = (_of(log, name) for name in ("propensity", "target", "reward"))
    if not len(log):
        raise InputError("log: found no rows, expected one row per decision")
    if not ((propensity > 0) & (propensity <= 1)).all():
        raise InputError(
            f"propensity: found values from {propensity.min():g} to {propensity.max():g}, expected more than 0 and at "
            "most 1. Log the probability with which each option was drawn"
        )
    if not ((target >= 0) & (target <= 1)).all():
        raise InputError(f"target: found values from {target.min():g} to {target.max():g}, expected 0 to 1")
    if not ((reward >= rewards[0]) & (reward <= rewards[1])).all():
        raise InputError(
            f"reward: found values from {reward.min():g} to {reward.max():g}, expected {rewards[0]:g} to "
            f"{rewards[1]:g}. Pass the least and the greatest possible reward"
        )
    return target / propensity


def _of(log: pl.DataFrame, name: str) -> F64:
    return log[name].cast(pl.Float64).fill_null(np.nan).to_numpy()  # NaN is outside every range


def _ratio(log: pl.DataFrame, weight: F64, above: F64, below: F64, rewards: Rewards) -> Estimate:
    """Return the sum of `above` over the sum of `below`, with an interval for terms clustered by listener."""
    reward = _of(log, "reward")
    least, most = (above + weight * (end - reward) for end in rewards)  # each reward has the coefficient `weight`
    decisions = {
        "weight": weight,
        "one": np.ones(len(log)),
        "above": above,
        "below": below,
        "least": least,
        "most": most,
    }
    summed = pl.DataFrame({"user_id": log["user_id"], **decisions}).group_by("user_id", maintain_order=True).sum()
    weights, counts, numerator, denominator, low, high = (summed[name].to_numpy() for name in decisions)
    sums, of_weights = Sums(numerator, denominator, low, high), Sums(weights, counts, weights, weights)
    ends = ratio_ends(sums, n_effective=_n_effective(weights))
    is_plausible = np.abs(of_weights.ratio - 1) <= FAR * standard_error(of_weights) + 1e-9
    return Estimate(
        value=sums.ratio,
        low=ends[0],
        high=ends[1],
        error=standard_error(sums),
        n=len(log),
        n_listeners=len(summed),
        n_effective=_n_effective(weight),
        mean_weight=of_weights.ratio,
        is_trusted=bool(is_plausible and _n_effective(weight) >= MIN_EFFECTIVE),
    )


def _n_effective(weights: F64) -> float:
    """Return the effective sample size of weights (Kish, Survey Sampling, 1965)."""
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.any() else 0.0
