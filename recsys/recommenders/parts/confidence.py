"""Confidence weights of interactions: damp large strengths, decay old plays."""

import numpy as np

from recsys.arrays import Csr
from recsys.dataset.interactions import History
from recsys.dataset.sparse import with_data

RECENT_DAYS = 30.0


def confidence(history: History, *, exponent: float, recency: float = 0) -> Csr:
    """
    Return the confidence weight strength**exponent * (1 + age_days / 30)**-recency of each pair.

    A power law decays fast at first and slowly later, so interactions from years ago still count. With exponential
    decay, their weights would be almost 0.

    Args:
        history: Strengths and ages of the pairs.
        exponent: 0: strengths are ignored; 1: strengths are used unchanged; between: large strengths are damped.
        recency: 0: no decay by age; 1: a pair that is 30 days old has half the weight of a pair of today.

    Returns:
        Weights > 0. CSR with the sparsity pattern of `history.matrix`, shape (n_users, n_tracks), float32.
    """
    weights = history.matrix.data.astype(np.float64) ** exponent
    weights *= (1 + history.age_days.astype(np.float64) / RECENT_DAYS) ** -recency
    weights = np.maximum(weights, np.finfo(np.float32).tiny)  # > 0 for any age, so that no history becomes empty
    return with_data(history.matrix, weights.astype(np.float32))


def mean_normalised(weights: Csr) -> Csr:
    """Divide each row by the mean of its non-zero values, so that all users have mean weight 1."""
    counts = np.diff(weights.indptr)
    sums = np.asarray(weights.sum(axis=1)).ravel()
    means = np.repeat(sums / np.maximum(counts, 1), counts)
    return with_data(weights, (weights.data / means).astype(np.float32))
