"""
Off-policy evaluation: estimate the value of another policy from the log of the deployed policy (the logging policy).

Conventions: a log has one row per decision. `propensity` is the probability with which the logging policy chose the
option, `target` the probability with which the evaluated policy would choose it. All three estimators are ratios of
sums, so the same kind of confidence interval applies to each. Listeners are independent of each other; the decisions of
one listener are not. Standard errors follow the delta method over listeners, as in sql/queries/off_policy_value.sql.
The intervals (see `likelihood`) are wider than those of the delta method where a few large weights dominate.

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
from recsys.feedback.likelihood import RatioTerms, ratio_interval, standard_error

MIN_EFFECTIVE = 30.0  # decisions: with a smaller effective sample size, the interval cannot be trusted
MAX_Z = 4.0  # largest distance of the mean weight from 1 that chance explains, in standard errors
Rewards = tuple[float, float]  # the minimum and the maximum possible reward


class Estimate(NamedTuple):
    """
    The estimated value of a policy per decision, with diagnostics.

    Attributes:
        value: Expected reward per decision.
        low: Lower limit of the 95 % confidence interval.
        high: Upper limit of the 95 % confidence interval.
        standard_error: Standard error of `value`.
        n: Number of decisions in the log.
        n_listeners: Number of listeners in the log.
        n_effective: Effective number of decisions: (sum w)^2 / sum w^2.
        mean_weight: Mean importance weight. Its expectation is 1, unless propensities were logged wrongly or the
            logging policy never chooses some options of the evaluated policy.
        is_trusted: True if `n_effective` is at least MIN_EFFECTIVE and `mean_weight` is within MAX_Z standard errors
            of 1.
    """

    value: float
    low: float
    high: float
    standard_error: float
    n: int
    n_listeners: int
    n_effective: float
    mean_weight: float
    is_trusted: bool


def ips(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate the value by inverse propensity scoring (IPS): rewards are weighted by target / propensity.

    Unbiased, but with wide intervals.

    Args:
        log: user_id, propensity (0 < p <= 1), target (0..1), reward.
        rewards: The minimum and the maximum possible reward.

    Raises:
        InputError: A propensity, target or reward is out of range, or the log is empty.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), np.ones(len(log)), rewards)


def snips(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate the value by self-normalised inverse propensity scoring (SNIPS): the weighted mean of the rewards.

    Slightly biased, but with much narrower intervals than `ips`. Arguments and errors are the same as for `ips`. NaN if
    `target` is 0 for every decision in the log.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), weight, rewards)


def doubly_robust(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Estimate the value with a reward model whose errors are corrected by importance weighting (doubly robust).

    Unbiased if the reward model or the propensities are correct.

    Args:
        log: As in `ips`, with two more columns: predicted, the reward that the model predicts for the chosen option,
            and predicted_target, the mean prediction over all options, weighted by the evaluated policy's
            probabilities.
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
            f"{rewards[1]:g}. Pass the minimum and the maximum possible reward"
        )
    return target / propensity


def _of(log: pl.DataFrame, name: str) -> F64:
    return log[name].cast(pl.Float64).fill_null(np.nan).to_numpy()  # NaN is outside every range


def _ratio(log: pl.DataFrame, weight: F64, numerator: F64, denominator: F64, rewards: Rewards) -> Estimate:
    """Estimate the sum of `numerator` divided by the sum of `denominator`, with terms clustered by listener."""
    reward = _of(log, "reward")
    # each reward has the coefficient `weight`
    numerator_min, numerator_max = (numerator + weight * (extreme - reward) for extreme in rewards)
    decisions = {
        "weight": weight,
        "one": np.ones(len(log)),
        "numerator": numerator,
        "denominator": denominator,
        "numerator_min": numerator_min,
        "numerator_max": numerator_max,
    }
    summed = pl.DataFrame({"user_id": log["user_id"], **decisions}).group_by("user_id", maintain_order=True).sum()
    weights, counts, *per_listener = (summed[name].to_numpy() for name in decisions)
    terms, weight_terms = RatioTerms(*per_listener), RatioTerms(weights, counts, weights, weights)
    low, high = ratio_interval(terms, n_effective=_n_effective(weights))
    is_plausible = np.abs(weight_terms.ratio - 1) <= MAX_Z * standard_error(weight_terms) + 1e-9
    return Estimate(
        value=terms.ratio,
        low=low,
        high=high,
        standard_error=standard_error(terms),
        n=len(log),
        n_listeners=len(summed),
        n_effective=_n_effective(weight),
        mean_weight=weight_terms.ratio,
        is_trusted=bool(is_plausible and _n_effective(weight) >= MIN_EFFECTIVE),
    )


def _n_effective(weights: F64) -> float:
    """Return the effective sample size under these weights (Kish, Survey Sampling, 1965); 0 if all weights are 0."""
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.any() else 0.0
