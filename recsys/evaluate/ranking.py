"""
Accuracy metrics: how well the first k recommendations contain a listener's held-out tracks.

Conventions: a track is relevant or not, without degrees; the whole catalogue is ranked, never sampled negatives; k is
the number of list positions, even if a list is shorter. A metric returns one value per listener, NaN if the listener
has no held-out track; the caller averages. For speed, each metric is computed from the hits alone (see `Hits`).
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
    """The hits (relevant recommendations) of all lists, sorted by rank: three arrays of shape (n_hits,), int64."""

    user: I64  # row of the user
    rank: I64  # 1 for the first recommendation of the list
    hit_no: I64  # 1 for the first hit of the list


@dataclass(frozen=True, eq=False)
class EvaluatedLists:
    """
    Recommendations compared with the held-out tracks. Made by `evaluate_lists`, once for all metrics.

    Attributes:
        hits: True for each relevant recommendation. Shape (n_users, n_ranked), bool.
        n_relevant: Number of relevant tracks of each user. Shape (n_users,), int64.
    """

    hits: Bool
    n_relevant: I64

    @cached_property
    def all_hits(self) -> Hits:
        """The hits at all ranks, computed once for all metrics and values of k."""
        n_ranked = self.hits.shape[1]
        user, position = np.divmod(np.flatnonzero(self.hits), max(1, n_ranked))
        n_hits = np.bincount(user, minlength=len(self.hits))
        hit_no = np.arange(len(user)) - np.repeat(np.cumsum(n_hits) - n_hits, n_hits)
        by_rank = np.argsort(position.astype(np.min_scalar_type(n_ranked)), kind="stable")  # radix sort
        return Hits(user[by_rank], position[by_rank] + 1, hit_no[by_rank] + 1)

    def within(self, k: int) -> Hits:
        """
        Return the hits among the first k recommendations of each list.

        Raises:
            InputError: k is not in 1..n_ranked.
        """
        if not 1 <= k <= self.hits.shape[1]:
            raise InputError(f"k: found {k}, expected 1 to {self.hits.shape[1]}, the length of the lists")
        n_hits = np.searchsorted(self.all_hits.rank, k, side="right")
        return Hits(*(column[:n_hits] for column in self.all_hits))


def evaluate_lists(ranked: npt.NDArray[np.integer[Any]], relevant: Csr) -> EvaluatedLists:
    """
    Compare recommendations with the held-out tracks.

    Args:
        ranked: Track rows, best first, each at most once. Shape (n_users, n_ranked); -1 pads a short list.
        relevant: The held-out tracks. CSR, shape (n_users, n_tracks), bool, in the row order of `ranked`.

    Raises:
        InputError: The numbers of users differ, or a list contains a track twice or a track row outside the catalogue.
    """
    if len(ranked) != relevant.shape[0]:
        raise InputError(
            f"ranked: found {len(ranked):,} lists for {relevant.shape[0]:,} users, expected one list per user"
        )
    pairs = relevant.astype(np.bool_)  # a copy: the caller's matrix stays as it is
    pairs.eliminate_zeros()
    pairs.sum_duplicates()
    return EvaluatedLists(find_hits(ranked, pairs), np.diff(pairs.indptr).astype(np.int64))


def ndcg_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the normalised discounted cumulative gain of the first k recommendations.

    The gain of a hit at rank r is 1 / log2(r + 1). The sum of gains is divided by that of the ideal list, whose first
    min(k, n_relevant) tracks are hits. So the maximum is 1, and each missing relevant track lowers the value. Models
    are selected by this metric.

    Args:
        evaluated: See `evaluate_lists`.
        k: Number of list positions that are evaluated, 1 <= k <= n_ranked.

    Returns:
        Shape (n_users,), 0..1; NaN if a user has no held-out track.

    Raises:
        InputError: k is out of range (as in all metrics of this file).

    Source:
        Jarvelin, Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques (2002).

    >>> ndcg_at_k(EvaluatedLists(np.array([[True, False], [False, True]]), np.array([1, 5])), k=2).round(3)
    array([1.   , 0.387])
    """
    return _gain(evaluated, k) / _ideal(k)[np.minimum(evaluated.n_relevant, k)]


def ndcg_by_hits_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return nDCG normalised by the number of hits in the list, for comparison with published tables that use it.

    It measures the order of the hits, not their number: a single hit at rank 1 gives 1 even if a hundred tracks are
    relevant. 0 if the list has no hit, NaN if the user has no held-out track. It is never lower than `ndcg_at_k`, and
    must not be compared with it.

    >>> ndcg_by_hits_at_k(EvaluatedLists(np.array([[True, False], [False, True]]), np.array([1, 5])), k=2).round(3)
    array([1.   , 0.631])
    """
    # At least 1, so that a list without a hit gets 0, not NaN.
    n_best = np.maximum(_n_hits(evaluated, k), evaluated.n_relevant > 0)
    return _gain(evaluated, k) / _ideal(k)[n_best]


def recall_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the share of held-out tracks that are among the first k recommendations, 0..1; NaN if nothing is held out.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return _n_hits(evaluated, k) / _or_nan(evaluated)


def precision_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the number of hits among the first k divided by k, 0..1; NaN if nothing is held out.

    The divisor is k even if a list is shorter.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return np.where(evaluated.n_relevant > 0, _n_hits(evaluated, k) / k, np.nan)


def hit_rate_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """Return 1 if any of the first k recommendations is a hit, otherwise 0; NaN if nothing is held out."""
    return np.where(evaluated.n_relevant > 0, _n_hits(evaluated, k) > 0, np.nan)


def reciprocal_rank_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return 1 / (rank of the first hit), 0 if there is no hit up to rank k; NaN if nothing is held out.

    The mean over listeners is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    hits = evaluated.within(k)
    reciprocal = _sum_by_user(hits, (hits.hit_no == 1) / hits.rank, evaluated)
    return np.where(evaluated.n_relevant > 0, reciprocal, np.nan)


def average_precision_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return average precision: the sum of the precision at each hit up to rank k, divided by min(k, n_relevant).

    NaN if nothing is held out. The mean over listeners is MAP.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4, cut at k.
    """
    hits = evaluated.within(k)
    return _sum_by_user(hits, hits.hit_no / hits.rank, evaluated) / np.minimum(_or_nan(evaluated), k)


def _sum_by_user(hits: Hits, values: F64, evaluated: EvaluatedLists) -> F64:
    """Return the sum, per user, of the values of the hits. Shape (n_users,)."""
    return np.bincount(hits.user, values, minlength=len(evaluated.n_relevant)).astype(np.float64, copy=False)


def _n_hits(evaluated: EvaluatedLists, k: int) -> I64:
    return np.bincount(evaluated.within(k).user, minlength=len(evaluated.n_relevant))


def _gain(evaluated: EvaluatedLists, k: int) -> F64:
    hits = evaluated.within(k)
    return _sum_by_user(hits, discounts(k)[hits.rank - 1], evaluated)


def discounts(k: int) -> F64:
    """Return the gain of a hit, and the exposure, at ranks 1..k: 1 / log2(1 + rank). Shape (k,)."""
    return np.asarray(1 / np.log2(np.arange(1, k + 1) + 1))


def _ideal(k: int) -> F64:
    """Return the total gain of an ideal list with 0, 1 .. k hits; NaN for 0 hits. Shape (k + 1,)."""
    return np.concatenate([[np.nan], np.cumsum(discounts(k))])


def _or_nan(evaluated: EvaluatedLists) -> F64:
    return np.where(evaluated.n_relevant > 0, evaluated.n_relevant, np.nan)
