"""
User-level bootstrap: means over samples of listeners, drawn with replacement.

A sample is stored as counts: how often it contains each listener. One matrix product then gives the means of all
metrics and recommenders, all of them over the same samples.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64

N_DRAWS = 2000  # bootstrap samples
MAX_COUNTS_IN_MEMORY = 4_000_000  # maximum number of counts that are computed at once
MAX_CACHED_COUNTS = 16_000_000  # samples with at most this many counts are cached for later calls


def bootstrap_means(values: F64, *, seed: int) -> F64:
    """
    Return the mean of each column over each of N_DRAWS bootstrap samples of the listeners.

    Args:
        values: One row per listener, one column per metric. Shape (n_users, n_columns); NaN is left out of the mean.
        seed: Seed of the samples.

    Returns:
        Shape (N_DRAWS, n_columns); NaN if a sample contains no listener with a value.

    Source:
        Efron, Tibshirani, An Introduction to the Bootstrap (1993), 13.3.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    patterns, pattern = np.unique(known, axis=1, return_inverse=True)  # most columns share a pattern: none missing
    means = []
    for times in _draws(len(values), seed):
        n_known = (times @ patterns.astype(np.float64))[:, pattern.ravel()]
        means.append(times @ filled / np.where(n_known > 0, n_known, np.nan))
    return np.concatenate(means)


def _draws(n_users: int, seed: int) -> Iterator[F64]:
    """Yield the samples in blocks: how often each sample contains each listener. Shape (n_block, n_users)."""
    is_cached = N_DRAWS * n_users <= MAX_CACHED_COUNTS
    for times in _cached_draws(n_users, seed) if is_cached else _new_draws(n_users, seed):
        yield times.astype(np.float64)


@lru_cache(maxsize=4)
def _cached_draws(n_users: int, seed: int) -> list[npt.NDArray[np.uint16]]:
    return [times.astype(np.uint16) for times in _new_draws(n_users, seed)]


def _new_draws(n_users: int, seed: int) -> Iterator[I64]:
    rng = np.random.default_rng(seed)
    n_at_once = max(1, MAX_COUNTS_IN_MEMORY // max(1, n_users))
    for start in range(0, N_DRAWS, n_at_once):
        size = min(n_at_once, N_DRAWS - start)
        drawn = rng.integers(n_users, size=(size, n_users)) + np.arange(size)[:, None] * n_users
        yield np.bincount(drawn.ravel(), minlength=size * n_users).reshape(size, n_users)
