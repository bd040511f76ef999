"""
Ranking metrics: how well the first k recommendations find what a listener discovered later.

Conventions: relevance is 0 or 1; the whole catalogue is ranked (never sampled negatives); k counts places, also where a
list is shorter; one value a listener, NaN where a listener has nothing to find. The mean is the caller's.

Hits are few, so each metric is a sum over the hits alone of what a hit is worth: see `Hits`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64, Bool, Csr
from recsys.errors import InputError
from recsys.evaluate.hits import find_hits


class Hits(NamedTuple):
    """Hits alone, by place; three arrays of shape (n_hits,), int64."""

    user: I64
    place: I64  # 1 for the first of the list
    nth: I64  # 1 for the first hit of the list


@dataclass(frozen=True, eq=False)
class EvaluatedLists:
    """
    Recommendations laid against the truth, once for all metrics; made by `judge`.

    Attributes:
        hits: Whether the recommendation at each place is relevant. Shape (n_users, n_ranked), bool.
        n_relevant: How many relevant tracks each user has. Shape (n_users,), int64.
    """

    hits: Bool
    n_relevant: I64

    @cached_property
    def found(self) -> Hits:
        """All hits, listed once for all metrics and every k."""
        n_ranked = self.hits.shape[1]
        user, place = np.divmod(np.flatnonzero(self.hits), max(1, n_ranked))
        n_hits = np.bincount(user, minlength=len(self.hits))
        nth = np.arange(len(user)) - np.repeat(np.cumsum(n_hits) - n_hits, n_hits)
        by_place = np.argsort(place.astype(np.min_scalar_type(n_ranked)), kind="stable")  # small integers sort in O(n)
        return Hits(user[by_place], place[by_place] + 1, nth[by_place] + 1)

    def within(self, k: int) -> Hits:
        """
        Hits in the first k places.

        Raises:
            InputError: k is out of range.
        """
        if not 1 <= k <= self.hits.shape[1]:
            raise InputError(f"k is {k}; expected 1 to {self.hits.shape[1]}, the length of the lists")
        n_hits = np.searchsorted(self.found.place, k, side="right")
        return Hits(*(column[:n_hits] for column in self.found))


def judge(ranked: npt.NDArray[np.integer[Any]], relevant: Csr) -> EvaluatedLists:
    """
    Look up each recommendation among the relevant tracks.

    Args:
        ranked: Track rows, best first, each once. Shape (n_users, n_ranked); -1 pads a short list.
        relevant: What is to be found. CSR, shape (n_users, n_tracks), bool, in the row order of `ranked`.

    Raises:
        InputError: The two disagree on the users or the tracks, or a list names a track twice.
    """
    if len(ranked) != relevant.shape[0]:
        raise InputError(f"{len(ranked):,} lists for {relevant.shape[0]:,} users; expected one list a user")
    pairs = relevant.astype(np.bool_)  # a copy: the caller's matrix stays as it is
    pairs.eliminate_zeros()
    pairs.sum_duplicates()
    return EvaluatedLists(find_hits(ranked, pairs), np.diff(pairs.indptr).astype(np.int64))


def ndcg_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Discounted gain of the first k places, as a share of the best that any list could gain.

    A hit at place p gains 1 / log2(p + 1). The ideal list has min(k, n_relevant) hits at its head: 1 can always be
    reached, and a relevant track that the list left out counts against it. This is the metric that decides here.

    Args:
        judged: See `judge`.
        k: Places that count, 1 <= k <= n_ranked.

    Returns:
        Shape (n_users,), 0..1; NaN where nothing is relevant.

    Raises:
        InputError: k is out of range. So in every metric here.

    Source:
        Jarvelin, Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques (2002).

    >>> ndcg_at_k(Judged(np.array([[True, False], [False, True]]), np.array([1, 5])), k=2).round(3)
    array([1.   , 0.387])
    """
    return _gain(judged, k) / _ideal(k)[np.minimum(judged.n_relevant, k)]


def ndcg_by_hits_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Discounted gain of the first k places, as a share of what the list's own hits could gain at its head.

    For comparison with published tables that use it; 0 without a hit, NaN where nothing is relevant. It asks in what
    order the hits stand and not how many there are: one hit at place 1 scores 1, be it one of a hundred relevant
    tracks. So it is never below `ndcg_at_k`, which is the stricter one and ours; the two must not share a column.

    >>> ndcg_by_hits_at_k(Judged(np.array([[True, False], [False, True]]), np.array([1, 5])), k=2).round(3)
    array([1.   , 0.631])
    """
    n_best = np.maximum(_n_hits(judged, k), judged.n_relevant > 0)  # at least 1, so that no hit is 0 and not NaN
    return _gain(judged, k) / _ideal(k)[n_best]


def recall_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Share of the relevant tracks that stand in the first k places; 0..1, NaN where nothing is relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return _n_hits(judged, k) / _or_nan(judged)


def precision_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Share of the k places that hold a relevant track, also where the list is shorter; NaN where nothing is relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return np.where(judged.n_relevant > 0, _n_hits(judged, k) / k, np.nan)


def hit_rate_at_k(judged: EvaluatedLists, k: int) -> F64:
    """Return 1 where any of the first k places is a hit, else 0; NaN where nothing is relevant."""
    return np.where(judged.n_relevant > 0, _n_hits(judged, k) > 0, np.nan)


def reciprocal_rank_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Return 1 / place of the first hit, 0 without one in k places; NaN where nothing is relevant. Its mean is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    hits = judged.within(k)
    reciprocal = _summed(hits, (hits.nth == 1) / hits.place, judged)
    return np.where(judged.n_relevant > 0, reciprocal, np.nan)


def average_precision_at_k(judged: EvaluatedLists, k: int) -> F64:
    """
    Sum of the precision at each hit in k places over min(k, n_relevant); NaN where nothing is relevant; mean: MAP.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4, cut at k.
    """
    hits = judged.within(k)
    return _summed(hits, hits.nth / hits.place, judged) / np.minimum(_or_nan(judged), k)


def _summed(hits: Hits, worth: F64, judged: EvaluatedLists) -> F64:
    """Sum what the hits of each user are worth, shape (n_users,)."""
    return np.bincount(hits.user, worth, minlength=len(judged.n_relevant)).astype(np.float64, copy=False)


def _n_hits(judged: EvaluatedLists, k: int) -> I64:
    return np.bincount(judged.within(k).user, minlength=len(judged.n_relevant))


def _gain(judged: EvaluatedLists, k: int) -> F64:
    hits = judged.within(k)
    return _summed(hits, _gains(k)[hits.place - 1], judged)


def _gains(k: int) -> F64:
    """Return what a hit gains at each of k places, shape (k,)."""
    return np.asarray(1 / np.log2(np.arange(1, k + 1) + 1))


def _ideal(k: int) -> F64:
    """Return the gain of 0..k hits at the head of a list, NaN for none: shape (k + 1,)."""
    return np.concatenate([[np.nan], np.cumsum(_gains(k))])


def _or_nan(judged: EvaluatedLists) -> F64:
    return np.where(judged.n_relevant > 0, judged.n_relevant, np.nan)
