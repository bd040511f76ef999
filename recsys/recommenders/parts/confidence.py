"""Confidence weights of interactions: damp large strengths, decay old plays."""

import numpy as np

from recsys.arrays import Csr, Rows
from recsys.dataset.interactions import History
from recsys.dataset.sparse import with_data

RECENT_DAYS, RECENT_TRACKS = 30.0, 30.0


def confidence(history: History, *, exponent: float, recency: float = 0, rank_recency: float = 0) -> Csr:
    """
    Return the confidence weight of each pair: by its strength, by its age in days, and by the listener's later tracks.

    It is strength**exponent * (1 + age_days / 30)**-recency * (1 + n_later / 30)**-rank_recency. A power law decays
    fast at first and slowly later, so interactions from years ago still count. With exponential decay, their weights
    would be almost 0. Days count to the end of the log, so all plays of a listener who left long ago have nearly the
    same weight; the number of later tracks does not depend on when the log ends.

    Args:
        history: Strengths and ages of the pairs.
        exponent: 0: strengths are ignored; 1: strengths are used unchanged; between: large strengths are damped.
        recency: 0: no decay by age; 1: a pair that is 30 days old has half the weight of a pair of today.
        rank_recency: 0: no decay by order; 1: a track after which the listener played 30 others has half the weight of
            their latest track.

    Returns:
        Weights > 0. CSR with the sparsity pattern of `history.matrix`, shape (n_users, n_tracks), float32.
    """
    weights = history.matrix.data.astype(np.float64) ** exponent
    weights *= (1 + history.age_days.astype(np.float64) / RECENT_DAYS) ** -recency
    if rank_recency:
        weights *= (1 + n_later(history) / RECENT_TRACKS) ** -rank_recency
    weights = np.maximum(weights, np.finfo(np.float32).tiny)  # > 0 for any age, so that no history becomes empty
    return with_data(history.matrix, weights.astype(np.float32))


def n_later(history: History) -> Rows:
    """Return the number of tracks that the listener played later than each pair, aligned with `history.matrix.data`."""
    starts, counts = history.matrix.indptr[:-1], np.diff(history.matrix.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((history.age_days, user))
    age, place = history.age_days[order], np.arange(len(order))
    is_later = np.append(True, (age[1:] != age[:-1]) | (user[1:] != user[:-1]))[: len(order)]  # than the one before
    later = np.empty(len(order), np.int64)
    later[order] = np.maximum.accumulate(np.where(is_later, place, 0)) - np.repeat(starts, counts)
    return later


def mean_normalised(weights: Csr) -> Csr:
    """Divide each row by the mean of its non-zero values, so that all users have mean weight 1."""
    counts = np.diff(weights.indptr)
    sums = np.asarray(weights.sum(axis=1)).ravel()
    means = np.repeat(sums / np.maximum(counts, 1), counts)
    return with_data(weights, (weights.data / means).astype(np.float32))
