"""Confidence weights: damp large play counts, decay old plays."""

import numpy as np

from recsys.arrays import Csr
from recsys.dataset.interactions import History
from recsys.dataset.sparse import with_data

RECENT_DAYS = 30.0


def confidence(history: History, *, exponent: float, recency: float = 0) -> Csr:
    """
    Return strength**exponent * (1 + age_days / 30)**-recency of each pair.

    A power law decays fast at first and slowly later: a like of years ago still counts, which exponential decay loses.

    Args:
        history: Its pattern is kept.
        exponent: 0 counts every pair the same, 1 takes the strengths as they are; between, large ones are damped.
        recency: 0: age does not matter; 1: a pair of 30 days ago weighs half of one today.

    Returns:
        Weights > 0. CSR, shape (n_users, n_tracks), float32.
    """
    weights = history.matrix.data.astype(np.float64) ** exponent
    weights *= (1 + history.age_days.astype(np.float64) / RECENT_DAYS) ** -recency
    weights = np.maximum(weights, np.finfo(np.float32).tiny)  # an old pair stays a pair
    return with_data(history.matrix, weights.astype(np.float32))


def mean_normalised(weights: Csr) -> Csr:
    """Divide each row by the mean of its values, so that heavy and light users weigh the same."""
    counts = np.diff(weights.indptr)
    sums = np.asarray(weights.sum(axis=1)).ravel()
    means = np.repeat(sums / np.maximum(counts, 1), counts)
    return with_data(weights, (weights.data / means).astype(np.float32))
