"""
Paired permutation test: is a mean difference larger than chance makes it, if signs of differences are random?

One observation per listener. If two recommenders are equally good, a listener's difference is as likely to have the
opposite sign. Like a bootstrap interval, and unlike a test of ranks, it is about the mean difference, so the p-value
and the interval beside it answer the same question. Used by `evaluate.significance`.
"""

from collections.abc import Iterator

import numpy as np

from recsys.arrays import F64

N_DRAWS = 9_999  # random assignments of signs; the smallest p-value is 1 / (N_DRAWS + 1)
MAX_EXACT = 13  # listeners with a difference, up to which all assignments are enumerated
MAX_SIGNS_IN_MEMORY = 4_000_000
ROUNDING = 1e-12  # sums that differ by less than this share of the sum of absolute differences are equal


def sign_flip_p_values(differences: F64, *, seed: int) -> F64:
    """
    Return the two-sided p-value of each column's mean difference.

    It is the share of assignments of signs whose absolute sum is at least the observed one. Up to `MAX_EXACT` listeners
    with a difference, all assignments are enumerated; otherwise `N_DRAWS` are drawn, the same for all columns, and the
    observed one is counted with them.

    Args:
        differences: One row per listener. Shape (n_users, n_columns); NaN is left out.
        seed: Seed of the random signs.

    Returns:
        p-values above 0, shape (n_columns,). 1 if all differences are 0; NaN if a column has no value.

    Source:
        Fisher, The Design of Experiments (1935), 21; Good, Permutation, Parametric and Bootstrap Tests of Hypotheses
        (2005), 3.2; Phipson, Smyth, Permutation P-values Should Never Be Zero (2010).
    """
    known = np.nan_to_num(differences)
    p_values = np.full(known.shape[1], np.nan)
    is_small = np.count_nonzero(known, axis=0) <= MAX_EXACT
    for column in np.flatnonzero(is_small):
        p_values[column] = _exact(known[known[:, column] != 0, column])
    if not is_small.all():
        p_values[~is_small] = _drawn(known[:, ~is_small], seed)
    p_values[np.isnan(differences).all(axis=0)] = np.nan
    return p_values


def _exact(values: F64) -> float:
    """Return the p-value from all assignments of signs to a few differences."""
    is_flipped = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1  # (2^n, n)
    return float(_is_as_extreme(is_flipped.astype(np.float64), values[:, None]).mean())


def _drawn(values: F64, seed: int) -> F64:
    """Return the p-values from random assignments, and the observed one."""
    n_extreme = np.ones(values.shape[1])  # the observed one
    for is_flipped in _draws(len(values), seed):
        n_extreme += _is_as_extreme(is_flipped, values).sum(axis=0)
    return n_extreme / (1 + N_DRAWS)


def _is_as_extreme(is_flipped: F64, values: F64) -> F64:
    """Return 1 for each assignment (row) whose absolute sum is at least the observed one, by column; else 0."""
    observed = values.sum(axis=0)
    sums = np.abs(observed - 2 * (is_flipped @ values))  # (n_assignments, n_columns)
    is_extreme: F64 = (sums >= np.abs(observed) - ROUNDING * np.abs(values).sum(axis=0)).astype(np.float64)
    return is_extreme


def _draws(n_users: int, seed: int) -> Iterator[F64]:
    """Yield random assignments in blocks: 1 where a listener's sign is flipped, else 0. Shape (n_block, n_users)."""
    rng = np.random.default_rng(seed)
    n_at_once = max(1, MAX_SIGNS_IN_MEMORY // n_users)
    for start in range(0, N_DRAWS, n_at_once):
        n_drawn = min(n_at_once, N_DRAWS - start)
        packed = rng.integers(256, size=(n_drawn, -(-n_users // 8)), dtype=np.uint8)
        yield np.unpackbits(packed, axis=1, count=n_users).astype(np.float64)
