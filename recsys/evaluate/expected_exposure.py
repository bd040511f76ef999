"""
Expected exposure: are equally relevant tracks, and groups of them, seen equally often?

Listeners look at place r with probability patience^(r - 1). The target is the mean exposure over all orders that put
what is relevant to a listener first.

Source: Diaz et al., Evaluating Stochastic Rankings with Expected Exposure (2020).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.arrays import F64
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.bootstrap import bootstrap_means
from recsys.evaluate.exposure import sums_by_group
from recsys.evaluate.significance import Interval, interval_of

PATIENCE = 0.8  # chance that a listener who has looked at a place looks at the next one


def expected_exposure(
    lists: pl.DataFrame, relevant: pl.DataFrame, groups: pl.DataFrame, *, patience: float = PATIENCE, seed: int
) -> dict[str, Interval]:
    """
    Hold the exposure of groups against what they would get if equally relevant tracks were seen equally often.

    Exposure is summed by group and averaged over listeners.

    Args:
        lists: user_id, track_id, rank.
        relevant: user_id, track_id.
        groups: track_id, group_name, of one kind: the whole catalogue.
        patience: 0 < patience < 1.
        seed: Of the draws.

    Returns:
        disparity (squared length of exposure: how unequal it is), relevance (its product with the target) and loss
        (squared distance from the target, 0 at best: disparity - 2 relevance + the target's own squared length), each
        with its 95 % interval.
    """
    users = lists["user_id"].unique(maintain_order=True)
    names = groups["group_name"].unique().sort()
    given = sums_by_group(lists.with_columns(exposure=patience ** (pl.col("rank") - 1.0)), groups, users, names)
    ones = relevant.filter(pl.col("user_id").is_in(users.implode())).unique().with_columns(exposure=pl.lit(1.0))
    n_relevant = sums_by_group(ones, groups, users, names)
    n_tracks = groups.group_by("group_name").len().sort("group_name")["len"].to_numpy()
    target = _target(n_relevant, n_tracks, patience)
    means = np.concatenate([np.stack([given, target], 1).mean(0)[None], _drawn_pairs(given, target, seed)])
    shown, wanted = means[:, 0], means[:, 1]  # (1 + n_draws, n_groups): the value, then the draws
    parts = {"disparity": shown * shown, "relevance": shown * wanted, "loss": (shown - wanted) ** 2}
    return {name: interval_of(part.sum(axis=1), len(users)) for name, part in parts.items()}


def expected_exposure_loss_at_k(exposed: RankedLists, k: int) -> F64:
    """
    Squared distance of each track's exposure in one list from the target of `expected_exposure`; 0 at best.

    Of single tracks, not groups, so that a single fixed list can only reach 0 with one relevant track or none. NaN
    where nothing is relevant.
    """
    weights = PATIENCE ** np.arange(k)
    is_shown, hits = exposed.first(k) >= 0, exposed.judged.hits[:, :k]
    n_relevant = exposed.judged.n_relevant.astype(np.float64)
    n_tracks = len(exposed.past.listeners)
    high, low = _target_of_one(n_relevant, n_tracks, PATIENCE)
    disparity = (is_shown * weights**2).sum(axis=1)
    relevance = high * (hits * weights).sum(axis=1) + low * ((is_shown & ~hits) * weights).sum(axis=1)
    loss: F64 = disparity - 2 * relevance + n_relevant * high**2 + (n_tracks - n_relevant) * low**2
    return np.where(n_relevant > 0, loss, np.nan)


def _target(n_relevant: F64, n_tracks: npt.NDArray[Any], patience: float) -> F64:
    """Exposure that each group should get of each listener, shape (n_users, n_groups)."""
    high, low = _target_of_one(n_relevant.sum(axis=1, keepdims=True), int(n_tracks.sum()), patience)
    target: F64 = n_relevant * high + (n_tracks - n_relevant) * low
    return target


def _target_of_one(n_relevant: F64, n_tracks: int, patience: float) -> tuple[F64, F64]:
    """Mean exposure of a relevant track, and of any other, over all orders that put the relevant first."""
    first, whole = 1 - patience**n_relevant, 1 - patience**n_tracks
    n_others = n_tracks - n_relevant
    high = first / (np.maximum(n_relevant, 1) * (1 - patience))
    low = (whole - first) / (np.maximum(n_others, 1) * (1 - patience))
    return high, low


def _drawn_pairs(given: F64, target: F64, seed: int) -> F64:
    """Means of both over the same draws of listeners, shape (n_draws, 2, n_groups)."""
    drawn = bootstrap_means(np.concatenate([given, target], axis=1), seed=seed)
    return np.stack([drawn[:, : given.shape[1]], drawn[:, given.shape[1] :]], axis=1)
