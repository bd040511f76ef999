"""Folds for held-out predictions: all recordings of an artist are in one fold."""

import numpy as np
import polars as pl

from recsys.arrays import I64

N_FOLDS = 5


def groups_of(names: pl.Series) -> I64:
    """Return the group of each recording, 0..n_groups - 1, by its artist; a null is a group of its own. Shape (n,)."""
    own = pl.int_range(pl.len()).cast(pl.String)
    named = pl.DataFrame({"group": names.cast(pl.String)}).select(
        group=pl.coalesce(pl.lit("of ") + pl.col("group"), pl.lit("alone ") + own)
    )["group"]
    group: I64 = np.unique(named.to_numpy(), return_inverse=True)[1]
    return group


def artist_folds(groups: pl.Series, *, n_folds: int = N_FOLDS, seed: int = 7) -> I64:
    """
    Return the fold of each recording, 0 to n_folds - 1.

    The largest artists are placed first, each into the smallest fold, so that folds have similar sizes.

    Args:
        groups: The artist (or album, or track) of each recording; a null is a group of its own. Shape (n,).
        n_folds: Number of folds; with fewer groups, some folds are empty.
        seed: Seed of the order of artists with equally many recordings.
    """
    group = groups_of(groups)
    sizes = np.bincount(group)
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold_of_group, fold_sizes = np.zeros(len(sizes), np.int64), np.zeros(n_folds, np.int64)
    for number in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of_group[number] = fold_sizes.argmin()
        fold_sizes[fold_of_group[number]] += sizes[number]
    folds: I64 = fold_of_group[group]
    return folds
