"""
Beyond accuracy: how much of the catalogue is shown, how evenly, and how well known it is already.

Conventions: a metric that speaks of single listeners gives one value each, NaN without a recommendation; one that
speaks of all lists together (coverage, Gini) gives a single number. "Known" is the share of training listeners.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64
from recsys.errors import InputError
from recsys.evaluate.ranking import EvaluatedLists
from recsys.evaluate.training_profile import TrainingProfile


@dataclass(frozen=True, eq=False)
class RankedLists:
    """
    Recommendations, and what the past says of their tracks and their listeners.

    Attributes:
        ranked: Track rows, best first. Shape (n_users, n_ranked); -1 pads a short list.
        past: What training knew, in the row order of `ranked`.
        judged: The same recommendations laid against the truth.
    """

    ranked: npt.NDArray[np.integer[Any]]
    past: TrainingProfile
    judged: EvaluatedLists

    def first(self, k: int) -> npt.NDArray[np.integer[Any]]:
        """
        The first k places of each list, shape (n_users, k).

        Raises:
            InputError: k is out of range.
        """
        if not 1 <= k <= self.ranked.shape[1]:
            raise InputError(f"k is {k}; expected 1 to {self.ranked.shape[1]}, the length of the lists")
        return self.ranked[:, :k]


def coverage_at_k(exposed: RankedLists, k: int) -> float:
    """Share of the catalogue that at least one listener is shown in k places, 0..1."""
    return float((_exposure(exposed, k) > 0).mean())


def exposure_gini_at_k(exposed: RankedLists, k: int) -> float:
    """Gini coefficient of exposure in k places over the whole catalogue: 0 all alike, near 1 a few tracks only."""
    return gini(_exposure(exposed, k))


def novelty_at_k(exposed: RankedLists, k: int) -> F64:
    """
    Mean self-information of the first k tracks [bit]: -log2 of the share of listeners who know the track.

    A track that nobody knows counts as known by one listener, so that the value stays finite.

    Source: Castells, Hurley, Vargas, Novelty and Diversity in Recommender Systems (2015).
    """
    past = exposed.past
    return _mean_over_list(exposed, -np.log2(np.maximum(past.listeners, 1) / past.n_listeners), k)


def average_popularity_at_k(exposed: RankedLists, k: int) -> F64:
    """Mean share of training listeners who know the first k tracks, 0..1."""
    return _mean_over_list(exposed, exposed.past.popularity, k)


def popularity_lift_at_k(exposed: RankedLists, k: int) -> F64:
    """
    Mean popularity of the first k tracks over that of the listener's own tracks, less 1: how far the list is drawn up.

    0: as popular as what the listener hears anyway; 1: twice as popular; down to -1. NaN without a list or tracks of
    one's own. One value a listener, where the first source divides the means of a whole group.

    Source:
        Abdollahpouri, Mansoury, Burke, Mobasher, The Connection Between Popularity Bias, Calibration, and Fairness in
        Recommendation (2020); Klimashevskaia et al., A Survey on Popularity Bias in Recommender Systems (2024).
    """
    return average_popularity_at_k(exposed, k) / exposed.past.own_popularity - 1


def _exposure(exposed: RankedLists, k: int) -> I64:
    """How often each track stands in the first k places of any list, shape (n_tracks,)."""
    first = exposed.first(k)
    return np.bincount(first[first >= 0], minlength=len(exposed.past.listeners)).astype(np.int64)


def gini(shares: npt.NDArray[Any]) -> float:
    """
    Gini coefficient of values >= 0: 0 where all are equal, (n - 1) / n where one has everything; NaN without any.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered = np.sort(shares.astype(np.float64))
    if not ordered.sum():
        return float("nan")
    n = len(ordered)
    place = np.arange(1, n + 1)
    return float(((2 * place - n - 1) @ ordered) / (n * ordered.sum()))


def _mean_over_list(exposed: RankedLists, of_track: F64, k: int) -> F64:
    first = exposed.first(k)
    n_shown = (first >= 0).sum(axis=1)
    total = np.where(first >= 0, of_track[np.maximum(first, 0)], 0).sum(axis=1)
    mean: F64 = total / np.where(n_shown > 0, n_shown, np.nan)
    return mean
