"""
Accuracy metrics: how well the first k recommendations contain a listener's held-out tracks.

Conventions: relevance is 0 or 1; the whole catalogue is ranked, never sampled negatives; k counts list positions, also
where a list is shorter. A metric returns one value per listener, NaN where nothing is held out; the caller averages.
Hits are few, so each metric is a sum over the hits alone (see `Hits`).
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
    """The hits of all lists in order of rank; three arrays of shape (n_hits,), int64."""

    user: I64  # row of the list
    rank: I64  # 1 for the first recommendation of the list
    hit_no: I64  # 1 for the first hit of the list


@dataclass(frozen=True, eq=False)
class EvaluatedLists:
    """
    Recommendations compared with the held-out tracks, once for all metrics; made by `evaluate_lists`.

    Attributes:
        hits: Whether each recommendation is relevant. Shape (n_users, n_ranked), bool.
        n_relevant: Number of relevant tracks of each user. Shape (n_users,), int64.
    """

    hits: Bool
    n_relevant: I64

    @cached_property
    def all_hits(self) -> Hits:
        """The hits of the whole lists, computed once for all metrics and every k."""
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
    Find out which recommendations are relevant.

    Args:
        ranked: Track rows, best first, each at most once. Shape (n_users, n_ranked); -1 pads a short list.
        relevant: The held-out tracks. CSR, shape (n_users, n_tracks), bool, in the row order of `ranked`.

    Raises:
        InputError: The two disagree on the users or the tracks, or a list holds a track twice.
    """
    if len(ranked) != relevant.shape[0]:
        raise InputError(f"ranked: found {len(ranked):,} lists for {relevant.shape[0]:,} users, expected the same")
    pairs = relevant.astype(np.bool_)  # a copy: the caller's matrix stays as it is
    pairs.eliminate_zeros()
    pairs.sum_duplicates()
    return EvaluatedLists(find_hits(ranked, pairs), np.diff(pairs.indptr).astype(np.int64))


def ndcg_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the normalised discounted cumulative gain of the first k recommendations.

    A hit at rank r gains 1 / log2(r + 1). The ideal list has min(k, n_relevant) hits at its head, so 1 can always be
    reached, and a relevant track that the list leaves out lowers the value. Models are chosen by this metric.

    Args:
        evaluated: See `evaluate_lists`.
        k: List positions that count, 1 <= k <= n_ranked.

    Returns:
        Shape (n_users,), 0..1; NaN where nothing is relevant.

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
    Return nDCG normalised by the list's own number of hits, for comparison with published tables that use it.

    0 without a hit, NaN where nothing is relevant. It measures the order of the hits, not their number: a single hit at
    rank 1 scores 1 even if a hundred tracks are relevant. It is never below `ndcg_at_k`, by which models are chosen
    here. Do not mix the two in one column.

    >>> ndcg_by_hits_at_k(EvaluatedLists(np.array([[True, False], [False, True]]), np.array([1, 5])), k=2).round(3)
    array([1.   , 0.631])
    """
    # At least 1, so that a list without a hit gets 0, not NaN.
    n_best = np.maximum(_n_hits(evaluated, k), evaluated.n_relevant > 0)
    return _gain(evaluated, k) / _ideal(k)[n_best]


def recall_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the share of relevant tracks that are among the first k recommendations, 0..1; NaN where nothing is relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return _n_hits(evaluated, k) / _or_nan(evaluated)


def precision_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the number of hits divided by k, also for a shorter list, 0..1; NaN where nothing is relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    return np.where(evaluated.n_relevant > 0, _n_hits(evaluated, k) / k, np.nan)


def hit_rate_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """Return 1 if any of the first k recommendations is a hit, otherwise 0; NaN where nothing is relevant."""
    return np.where(evaluated.n_relevant > 0, _n_hits(evaluated, k) > 0, np.nan)


def reciprocal_rank_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return 1 / rank of the first hit, 0 without a hit up to rank k; NaN where nothing is relevant. Its mean is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    hits = evaluated.within(k)
    reciprocal = _sum_by_user(hits, (hits.hit_no == 1) / hits.rank, evaluated)
    return np.where(evaluated.n_relevant > 0, reciprocal, np.nan)


def average_precision_at_k(evaluated: EvaluatedLists, k: int) -> F64:
    """
    Return the sum of precision at each hit up to rank k, over min(k, n_relevant); NaN where nothing is relevant.

    Its mean is MAP.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4, cut at k.
    """
    hits = evaluated.within(k)
    return _sum_by_user(hits, hits.hit_no / hits.rank, evaluated) / np.minimum(_or_nan(evaluated), k)


def _sum_by_user(hits: Hits, values: F64, evaluated: EvaluatedLists) -> F64:
    """Sum one value per hit by user, shape (n_users,)."""
    return np.bincount(hits.user, values, minlength=len(evaluated.n_relevant)).astype(np.float64, copy=False)


def _n_hits(evaluated: EvaluatedLists, k: int) -> I64:
    return np.bincount(evaluated.within(k).user, minlength=len(evaluated.n_relevant))


def _gain(evaluated: EvaluatedLists, k: int) -> F64:
    hits = evaluated.within(k)
    return _sum_by_user(hits, _gains(k)[hits.rank - 1], evaluated)


def _gains(k: int) -> F64:
    """Return the gain of a hit at ranks 1..k, shape (k,)."""
    return np.asarray(1 / np.log2(np.arange(1, k + 1) + 1))


def _ideal(k: int) -> F64:
    """Return the gain of a list that begins with 0..k hits, NaN for 0 hits: shape (k + 1,)."""
    return np.concatenate([[np.nan], np.cumsum(_gains(k))])


def _or_nan(evaluated: EvaluatedLists) -> F64:
    return np.where(evaluated.n_relevant > 0, evaluated.n_relevant, np.nan)
