"""
Expected exposure: do equally relevant tracks, and groups of tracks, get equal exposure?

The exposure of rank r is the probability that a listener looks at it: patience^(r - 1). The target exposure of a track
is its mean exposure over all rankings of the catalogue that start with the listener's relevant tracks.

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

CONTINUATION_PROBABILITY = 0.8  # patience: probability that a listener who looks at a rank looks at the next one


def expected_exposure(
    lists: pl.DataFrame,
    relevant: pl.DataFrame,
    groups: pl.DataFrame,
    *,
    patience: float = CONTINUATION_PROBABILITY,
    seed: int,
) -> dict[str, Interval]:
    """
    Compare each group's exposure with its target exposure, at which equally relevant tracks have equal exposure.

    Exposure is summed per group and averaged over listeners.

    Args:
        lists: user_id, track_id, rank.
        relevant: The held-out pairs: user_id, track_id.
        groups: track_id, group_name; groups of one kind only, for the whole catalogue.
        patience: Continuation probability, between 0 and 1.
        seed: Seed of the bootstrap.

    Returns:
        Three measures with 95 % intervals, computed from the vectors of exposure and target exposure, one entry per
        group. 'disparity': squared norm of the exposure (how unequal it is). 'relevance': scalar product of exposure
        and target. 'loss': squared distance of exposure and target; 0 is best.
    """
    users = lists["user_id"].unique(maintain_order=True)
    names = groups["group_name"].unique().sort()
    exposure = sums_by_group(lists.with_columns(exposure=patience ** (pl.col("rank") - 1.0)), groups, users, names)
    held_out = relevant.filter(pl.col("user_id").is_in(users.implode())).unique().with_columns(exposure=pl.lit(1.0))
    n_relevant = sums_by_group(held_out, groups, users, names)
    n_tracks = groups.group_by("group_name").len().sort("group_name")["len"].to_numpy()
    target = _target(n_relevant, n_tracks, patience)
    means = np.concatenate([np.stack([exposure, target], 1).mean(0)[None], _bootstrap_pairs(exposure, target, seed)])
    shown, expected = means[:, 0], means[:, 1]  # (1 + n_draws, n_groups): observed means, then bootstrap means
    parts = {"disparity": shown * shown, "relevance": shown * expected, "loss": (shown - expected) ** 2}
    return {name: interval_of(part.sum(axis=1), len(users)) for name, part in parts.items()}


def expected_exposure_loss_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the squared distance of exposure and target exposure of the tracks, per list; 0 is best.

    As the loss of `expected_exposure`, but for single tracks instead of groups. The target is the same for all relevant
    tracks, and the same for all others, while a single list gives each rank a different exposure. So even the best list
    has a loss above 0 in any but the smallest catalogues: compare values only with each other. NaN if the listener has
    no held-out track.
    """
    weights = CONTINUATION_PROBABILITY ** np.arange(k)
    is_shown, hits = lists.first(k) >= 0, lists.evaluated.hits[:, :k]
    n_relevant = lists.evaluated.n_relevant.astype(np.float64)
    n_tracks = len(lists.profile.listener_counts)
    high, low = _target_of_one(n_relevant, n_tracks, CONTINUATION_PROBABILITY)
    disparity = (is_shown * weights**2).sum(axis=1)
    relevance = high * (hits * weights).sum(axis=1) + low * ((is_shown & ~hits) * weights).sum(axis=1)
    loss: F64 = disparity - 2 * relevance + n_relevant * high**2 + (n_tracks - n_relevant) * low**2
    return np.where(n_relevant > 0, loss, np.nan)


def _target(n_relevant: F64, n_tracks: npt.NDArray[Any], patience: float) -> F64:
    """Return each group's target exposure per listener. Shape (n_users, n_groups)."""
    high, low = _target_of_one(n_relevant.sum(axis=1, keepdims=True), int(n_tracks.sum()), patience)
    target: F64 = n_relevant * high + (n_tracks - n_relevant) * low
    return target


def _target_of_one(n_relevant: F64, n_tracks: int, patience: float) -> tuple[F64, F64]:
    """Return the target exposure of a relevant track, and that of any other track."""
    first, whole = 1 - patience**n_relevant, 1 - patience**n_tracks
    n_others = n_tracks - n_relevant
    high = first / (np.maximum(n_relevant, 1) * (1 - patience))
    low = (whole - first) / (np.maximum(n_others, 1) * (1 - patience))
    return high, low


def _bootstrap_pairs(exposure: F64, target: F64, seed: int) -> F64:
    """Return the means of exposure and target over the same bootstrap samples. Shape (n_draws, 2, n_groups)."""
    means = bootstrap_means(np.concatenate([exposure, target], axis=1), seed=seed)
    return np.stack([means[:, : exposure.shape[1]], means[:, exposure.shape[1] :]], axis=1)
