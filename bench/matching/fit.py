"""Fits a judge of matching: a logistic regression over the evidence, and the points where it is to be cut."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from bench.matching.answers import Asked, Told
from recsys.arrays import F64
from recsys.matching.alignment import MatchClassifier

PENALTY = 1e-4


def fitted(told: Told, length_s: int) -> MatchClassifier:
    """
    Fit a judge on queries that were found and on strangers, real and rendered.

    The 1 % point is that of real strangers. The 0.1 % point is the more careful one of two: real strangers are a few
    dozen recordings, whose highest thousandth is one recording's; rendered ones are many, but all of one kind.
    """
    right = _evidence([each for each in told.known if each.ours.is_found])
    real, made = _evidence(told.strangers), _evidence(told.rendered)
    judge = _regressed(right, np.concatenate([real, made]), length_s)
    at_1 = _above(judge.probability(real), 0.01)
    at_01 = max(_above(judge.probability(each), 0.001) for each in (real, made))
    return replace(judge, threshold_1_percent=at_1, threshold_01_percent=at_01)


def _evidence(some: list[Asked]) -> F64:
    return np.stack([each.ours.evidence for each in some])


def _above(chances: F64, share: float) -> float:
    return float(np.quantile(chances, 1 - share))


def _regressed(right: F64, wrong: F64, length_s: int) -> MatchClassifier:
    x = np.concatenate([right, wrong])
    sign = np.r_[np.ones(len(right)), -np.ones(len(wrong))]
    judge = MatchClassifier(length_s, x.mean(axis=0).tolist(), x.std(axis=0).tolist(), [0.0] * x.shape[1])
    design = np.c_[judge.standardise(x), np.ones(len(x))]

    def loss(weights: F64) -> float:
        return float(np.logaddexp(0, -sign * (design @ weights)).mean() + PENALTY * np.square(weights).sum())

    return replace(judge, weights=minimize(loss, np.zeros(design.shape[1])).x.tolist())
