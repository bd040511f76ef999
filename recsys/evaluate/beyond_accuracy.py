"""
Metrics beyond accuracy: catalogue coverage, evenness of exposure, novelty and popularity of the recommendations.

Conventions: most metrics return one value per listener, NaN if the list is empty. Coverage and Gini are computed from
all lists together and return one number. The popularity of a track is the share of training listeners who like it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64, Csr
from recsys.errors import InputError
from recsys.evaluate.ranking import EvaluatedLists
from recsys.evaluate.training_profile import TrainingProfile


@dataclass(frozen=True, eq=False)
class RankedLists:
    """
    Recommendations, with the training statistics and relevance flags from which metrics are computed.

    Attributes:
        ranked: Track rows, best first. Shape (n_users, n_ranked); -1 pads a short list.
        profile: Training statistics; listeners in the row order of `ranked`.
        evaluated: The recommendations compared with the held-out tracks.
        hidden: Pairs that no list may contain. CSR, shape (n_users, n_tracks), bool.
    """

    ranked: npt.NDArray[np.integer[Any]]
    profile: TrainingProfile
    evaluated: EvaluatedLists
    hidden: Csr

    def first(self, k: int) -> npt.NDArray[np.integer[Any]]:
        """
        Return the first k recommendations of each list, shape (n_users, k).

        Raises:
            InputError: k is not in 1..n_ranked.
        """
        if not 1 <= k <= self.ranked.shape[1]:
            raise InputError(f"k: found {k}, expected 1 to {self.ranked.shape[1]}, the length of the lists")
        return self.ranked[:, :k]


def coverage_at_k(lists: RankedLists, k: int) -> float:
    """Return the share of the catalogue that is among the first k tracks of at least one list, 0..1."""
    return float((_exposure(lists, k) > 0).mean())


def exposure_gini_at_k(lists: RankedLists, k: int) -> float:
    """Return the Gini coefficient of recommendations per track: 0 if all tracks get the same, near 1 if few get all."""
    return gini(_exposure(lists, k))


def novelty_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the mean self-information [bit] of the first k tracks: -log2(popularity).

    A track that no training listener likes counts as if one did, so that the value is finite.

    Source: Castells, Hurley, Vargas, Novelty and Diversity in Recommender Systems (2015).
    """
    profile = lists.profile
    return _mean_over_list(lists, -np.log2(np.maximum(profile.listener_counts, 1) / profile.n_listeners), k)


def average_popularity_at_k(lists: RankedLists, k: int) -> F64:
    """Return the mean popularity of the first k tracks, 0..1."""
    return _mean_over_list(lists, lists.profile.popularity, k)


def popularity_lift_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the popularity lift: (mean popularity of the first k tracks / that of the listener's liked tracks) - 1.

    0: as popular as the listener's liked tracks; 1: twice as popular; the minimum is -1. NaN for an empty list and for
    a listener without liked tracks. Computed per listener, whereas the first source divides the means of a group.

    Source:
        Abdollahpouri, Mansoury, Burke, Mobasher, The Connection Between Popularity Bias, Calibration, and Fairness in
        Recommendation (2020); Klimashevskaia et al., A Survey on Popularity Bias in Recommender Systems (2024).
    """
    return average_popularity_at_k(lists, k) / lists.profile.liked_popularity - 1


def _exposure(lists: RankedLists, k: int) -> I64:
    """Return, for each track, the number of lists that have it among their first k. Shape (n_tracks,)."""
    first = lists.first(k)
    return np.bincount(first[first >= 0], minlength=len(lists.profile.listener_counts)).astype(np.int64)


def gini(shares: npt.NDArray[Any]) -> float:
    """
    Return the Gini coefficient of values >= 0: 0 if all are equal, (n - 1) / n if one has everything, NaN if all are 0.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered = np.sort(shares.astype(np.float64))
    if not ordered.sum():
        return float("nan")
    n = len(ordered)
    rank = np.arange(1, n + 1)
    return float(((2 * rank - n - 1) @ ordered) / (n * ordered.sum()))


def _mean_over_list(lists: RankedLists, of_track: F64, k: int) -> F64:
    first = lists.first(k)
    n_shown = (first >= 0).sum(axis=1)
    total = np.where(first >= 0, of_track[np.maximum(first, 0)], 0).sum(axis=1)
    mean: F64 = total / np.where(n_shown > 0, n_shown, np.nan)
    return mean
