"""What a play weighs: of play counts with a long tail, and of plays long ago, a model may want to hear less."""

import numpy as np

from recsys.arrays import Csr
from recsys.dataset.interactions import History, with_data

RECENT_DAYS = 30.0


def weighed(history: History, *, exponent: float, recency: float = 0) -> Csr:
    """
    Return strength**exponent * (1 + age_days / 30)**-recency of each pair.

    A power law forgets fast at first and slowly later: what was liked years ago still says something, which an
    exponential decay would lose.

    Args:
        history: Whose plays; its pattern is kept.
        exponent: 0 counts every pair the same, 1 takes the strengths as they are; between, large ones count less.
        recency: 0: age weighs nothing; 1: a pair of a month ago weighs half of one today.

    Returns:
        Weights > 0. CSR, shape (n_users, n_tracks), float32.
    """
    weights = history.matrix.data.astype(np.float64) ** exponent
    weights *= (1 + history.age_days.astype(np.float64) / RECENT_DAYS) ** -recency
    weights = np.maximum(weights, np.finfo(np.float32).tiny)  # a pair of long ago stays a pair
    return with_data(history.matrix, weights.astype(np.float32))


def of_mean(weights: Csr) -> Csr:
    """Divide each row by the mean of its values, so that listeners who play much and little speak alike."""
    counts = np.diff(weights.indptr)
    sums = np.asarray(weights.sum(axis=1)).ravel()
    means = np.repeat(sums / np.maximum(counts, 1), counts)
    return with_data(weights, (weights.data / means).astype(np.float32))
