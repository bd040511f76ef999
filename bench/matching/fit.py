"""Fit a match classifier: a logistic regression on the evidence, and its thresholds at two false-positive rates."""

from dataclasses import replace

import numpy as np

from bench.matching.answers import QueryResult, Results
from recsys.arrays import F64
from recsys.matching.alignment import MatchClassifier

PENALTY = 1e-4


def fit(results: Results, length_s: int) -> MatchClassifier:
    """
    Fit a classifier on found uses (positives) and strangers (negatives: their recording is not in the index).

    The threshold for 1 % false positives is the 99th percentile of the probabilities of real strangers. For 0.1 % it is
    the higher of the 99.9th percentiles of real and of rendered strangers: real ones are a few dozen recordings, so
    their top thousandth comes from one of them; rendered ones are many but similar.
    """
    uses = _evidence([result for result in results.uses if result.ours.is_found])
    real, rendered = _evidence(results.strangers), _evidence(results.rendered)
    classifier = _regression(uses, np.concatenate([real, rendered]), length_s)
    at_1 = _threshold(classifier.probability(real), 0.01)
    at_01 = max(_threshold(classifier.probability(strangers), 0.001) for strangers in (real, rendered))
    return replace(classifier, threshold_1_percent=at_1, threshold_01_percent=at_01)


def _evidence(results: list[QueryResult]) -> F64:
    return np.stack([result.ours.evidence for result in results])


def _threshold(probabilities: F64, share: float) -> float:
    return float(np.quantile(probabilities, 1 - share))


def _regression(uses: F64, strangers: F64, length_s: int) -> MatchClassifier:
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([uses, strangers])
    is_use = np.arange(len(x)) < len(uses)
    classifier = MatchClassifier(length_s, x.mean(axis=0).tolist(), x.std(axis=0).tolist(), [0.0] * x.shape[1])
    design = np.c_[classifier.standardise(x), np.ones(len(x))]  # the intercept is penalised too
    model = LogisticRegression(C=1 / (2 * PENALTY * len(x)), fit_intercept=False, tol=1e-8, max_iter=1000)
    return replace(classifier, weights=model.fit(design, is_use).coef_[0].tolist())
