"""
Listeners drawn again: the means that other listeners of the same kind could have given.

A draw is kept as how often it holds each listener, so that one set of draws and one matrix product serve any number of
metrics and recommenders of the same listeners; what is compared is compared on the same draws.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64

N_DRAWS = 2000
N_CELLS = 4_000_000  # counts held at once
N_KEPT = 16_000_000  # counts of a set of draws that is kept for the next metrics of as many listeners


def bootstrap_means(values: F64, *, seed: int) -> F64:
    """
    Return the mean of each column over each sample of as many listeners, drawn with replacement.

    Args:
        values: One row a listener, shape (n_users, n_columns); NaN is left out of its column's mean.
        seed: Of the draws.

    Returns:
        Shape (N_DRAWS, n_columns); NaN where a draw holds no listener with a value.

    Source:
        Efron, Tibshirani, An Introduction to the Bootstrap (1993), 13.3.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    patterns, pattern = np.unique(known, axis=1, return_inverse=True)  # most columns lack the same listeners: none
    means = []
    for times in _draws(len(values), seed):
        n_known = (times @ patterns.astype(np.float64))[:, pattern.ravel()]
        means.append(times @ filled / np.where(n_known > 0, n_known, np.nan))
    return np.concatenate(means)


def _draws(n_users: int, seed: int) -> Iterator[F64]:
    """Yield how often each draw holds each listener, shape (n_at_once, n_users), until there are `N_DRAWS`."""
    is_kept = N_DRAWS * n_users <= N_KEPT
    for times in _kept(n_users, seed) if is_kept else _drawn(n_users, seed):
        yield times.astype(np.float64)


@lru_cache(maxsize=4)
def _kept(n_users: int, seed: int) -> list[npt.NDArray[np.uint16]]:
    return [times.astype(np.uint16) for times in _drawn(n_users, seed)]


def _drawn(n_users: int, seed: int) -> Iterator[I64]:
    rng = np.random.default_rng(seed)
    n_at_once = max(1, N_CELLS // max(1, n_users))
    for start in range(0, N_DRAWS, n_at_once):
        size = min(n_at_once, N_DRAWS - start)
        drawn = rng.integers(n_users, size=(size, n_users)) + np.arange(size)[:, None] * n_users
        yield np.bincount(drawn.ravel(), minlength=size * n_users).reshape(size, n_users)
