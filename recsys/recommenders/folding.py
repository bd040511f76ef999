"""
A listener read from their history: by a ridge map, fitted on training listeners, from the mean of the tracks they play.

For models whose own way to a listener's vector is many small steps, which no folded-in listener could be taken through.
"""

import numpy as np

from recsys.interactions import Csr
from recsys.recommenders.topk import F32

RIDGE = 0.01


def means(weights: Csr, vectors: F32) -> F32:
    """
    Return the weighted mean vector of the tracks that each listener plays, and a 1.

    Args:
        weights: Weights > 0, each listener with one at least. CSR, shape (n_users, n_tracks).
        vectors: Shape (n_tracks, factors).

    Returns:
        Shape (n_users, factors + 1), float32.
    """
    sums = np.asarray(weights.sum(axis=1), np.float32).reshape(-1, 1)
    return with_one((weights @ vectors) / sums)


def ridge(inputs: F32, targets: F32) -> F32:
    """Return the map that takes `inputs` nearest to `targets`, shape (n_inputs, n_targets)."""
    x = inputs.astype(np.float64)
    gram = x.T @ x + RIDGE * np.eye(x.shape[1])
    solved: F32 = np.linalg.solve(gram, x.T @ targets).astype(np.float32)
    return solved


def with_one(vectors: F32) -> F32:
    """Append a column of ones, against which the other side's bias counts."""
    return np.column_stack([vectors, np.ones(len(vectors), np.float32)])
