"""
What would another policy have earned? Answered from the log of the one that was shown, whose dice are known.

Conventions: a log has one row a decision; `propensity` is the exact probability with which the policy that was shown
chose what it chose, `target` that of the policy asked about. All three estimators are ratios of sums, so that one
interval serves them: listeners are independent, the decisions of one are not. Errors are those of the delta method, by
listener, and sql/queries/off_policy_value.sql gives the same; the interval is wider where few heavy weights carry the
value (see `likelihood`).

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

MIN_EFFECTIVE = 30.0  # decisions: with fewer the interval itself cannot be trusted
FAR = 4.0  # standard errors that the mean weight may be away from 1
Rewards = tuple[float, float]  # the least and the greatest there can be


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
        mean_weight: 1 in expectation; else dice were logged wrongly, or what the policy would choose was never chosen.
        is_trusted: Whether that is enough, and chance explains the mean weight.
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
    Inverse propensity score: every reward counts target / propensity times. Unbiased, and wide.

    Args:
        log: user_id, propensity (0 < p <= 1), target (0..1), reward.
        rewards: The least and the greatest reward there can be.

    Raises:
        InputError: A propensity, target or reward is out of range, or the log is empty.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), np.ones(len(log)), rewards)


def snips(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    Self-normalised: divided by the sum of the weights instead of their number. Slightly biased, and far narrower.

    Args and errors as of `ips`; NaN where the target policy would have chosen nothing in the log.
    """
    weight = _weights(log, rewards)
    return _ratio(log, weight, weight * _of(log, "reward"), weight, rewards)


def doubly_robust(log: pl.DataFrame, rewards: Rewards = (0.0, 1.0)) -> Estimate:
    """
    A model's guess, corrected by weighted rewards where it was wrong. Unbiased if the guess or the dice are right.

    Args:
        log: As of `ips`, and predicted: the reward guessed for what was chosen; predicted_target: the mean guess over
            what the target policy would have chosen, weighed by its probabilities.
        rewards: As of `ips`.

    Raises:
        InputError: As `ips`.
    """
    weight = _weights(log, rewards)
    surprise = _of(log, "reward") - _of(log, "predicted")
    return _ratio(log, weight, _of(log, "predicted_target") + weight * surprise, np.ones(len(log)), rewards)


def _weights(log: pl.DataFrame, rewards: Rewards) -> F64:
    propensity, target, reward = (_of(log, name) for name in ("propensity", "target", "reward"))
    if not len(log):
        raise InputError("the log is empty; expected one row a decision")
    if not ((propensity > 0) & (propensity <= 1)).all():
        raise InputError(
            f"propensities run from {propensity.min():g} to {propensity.max():g}; expected above 0 and at most 1: what "
            "could never have been shown says nothing about what else could"
        )
    if not ((target >= 0) & (target <= 1)).all():
        raise InputError(f"target probabilities run from {target.min():g} to {target.max():g}; expected 0 to 1")
    if not ((reward >= rewards[0]) & (reward <= rewards[1])).all():
        raise InputError(
            f"rewards run from {reward.min():g} to {reward.max():g}; expected {rewards[0]:g} to {rewards[1]:g}: give "
            "the least and the greatest there can be"
        )
    return target / propensity


def _of(log: pl.DataFrame, name: str) -> F64:
    return log[name].cast(pl.Float64).fill_null(np.nan).to_numpy()  # NaN passes no range


def _ratio(log: pl.DataFrame, weight: F64, above: F64, below: F64, rewards: Rewards) -> Estimate:
    """Sum of `above` over sum of `below`, with the interval of a ratio whose terms come in clusters."""
    reward = _of(log, "reward")
    least, most = (above + weight * (end - reward) for end in rewards)  # all count a reward as often as it weighs
    decisions = {"weight": weight, "one": np.ones(len(log)), "got": above, "over": below, "least": least, "most": most}
    summed = pl.DataFrame({"user_id": log["user_id"], **decisions}).group_by("user_id", maintain_order=True).sum()
    weights, counts, got, over, low, high = (summed[name].to_numpy() for name in decisions)
    sums, of_weights = Sums(got, over, low, high), Sums(weights, counts, weights, weights)
    ends = ratio_ends(sums, n_effective=_n_effective(weights))
    is_usual = np.abs(of_weights.ratio - 1) <= FAR * standard_error(of_weights) + 1e-9
    return Estimate(
        value=sums.ratio,
        low=ends[0],
        high=ends[1],
        error=standard_error(sums),
        n=len(log),
        n_listeners=len(summed),
        n_effective=_n_effective(weight),
        mean_weight=of_weights.ratio,
        is_trusted=bool(is_usual and _n_effective(weight) >= MIN_EFFECTIVE),
    )


def _n_effective(weights: F64) -> float:
    """How many equal weights these are worth (Kish, Survey Sampling, 1965)."""
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.any() else 0.0
