"""
Ranking metrics: how well the first k recommendations find what a listener discovered later.

Conventions: relevance is 0 or 1; the whole catalogue is ranked (never sampled negatives); k counts places, also where a
list is shorter; one value a listener, NaN where a listener has nothing to find. The mean is the caller's.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.errors import InputError
from recsys.interactions import Csr

F64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """
    Recommendations laid against the truth, once for all metrics; made by `judge`.

    Attributes:
        hits: Whether the recommendation at each place is relevant. Shape (n_users, n_ranked), bool.
        n_relevant: How many relevant tracks each user has. Shape (n_users,), int64.
    """

    hits: npt.NDArray[np.bool_]
    n_relevant: npt.NDArray[np.int64]


def judge(ranked: npt.NDArray[np.integer[Any]], relevant: Csr) -> Judged:
    """
    Look up each recommendation among the relevant tracks.

    Args:
        ranked: Track rows, best first, each once. Shape (n_users, n_ranked); -1 pads a short list.
        relevant: What is to be found. CSR, shape (n_users, n_tracks), bool, in the row order of `ranked`.

    Raises:
        InputError: The two disagree on the users, or a list names a track twice.
    """
    if len(ranked) != relevant.shape[0]:
        raise InputError(f"{len(ranked):,} lists for {relevant.shape[0]:,} users; expected one list a user")
    ordered = np.sort(ranked, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise InputError("a list names a track twice; expected each track once")
    user = np.repeat(np.arange(len(ranked)), ranked.shape[1])
    found = np.asarray(relevant[user, np.maximum(ranked.ravel(), 0)]).reshape(ranked.shape)
    return Judged(found.astype(np.bool_) & (ranked >= 0), np.diff(relevant.indptr).astype(np.int64))


def ndcg_at_k(judged: Judged, k: int) -> F64:
    """
    Discounted gain of the first k places, as a share of the ideal.

    A hit at place p gains 1 / log2(p + 1). The ideal list has min(k, n_relevant) hits at its head, so that 1 can
    always be reached.

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
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(gains)])
    share: F64 = (_first(judged, k) @ gains) / ideal[np.minimum(judged.n_relevant, k)]
    return share


def recall_at_k(judged: Judged, k: int) -> F64:
    """
    Share of the relevant tracks that stand in the first k places; 0..1, NaN where nothing is relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """
    share: F64 = _first(judged, k).sum(axis=1) / _or_nan(judged)
    return share


def hit_rate_at_k(judged: Judged, k: int) -> F64:
    """Return 1 where any of the first k places is a hit, else 0; NaN where nothing is relevant."""
    return np.where(judged.n_relevant > 0, _first(judged, k).any(axis=1), np.nan)


def reciprocal_rank_at_k(judged: Judged, k: int) -> F64:
    """
    Return 1 / place of the first hit, 0 without one in k places; NaN where nothing is relevant. Its mean is MRR.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    first = _first(judged, k)
    reciprocal = first.any(axis=1) / (first.argmax(axis=1) + 1)
    return np.where(judged.n_relevant > 0, reciprocal, np.nan)


def average_precision_at_k(judged: Judged, k: int) -> F64:
    """
    Sum of the precision at each hit in k places over min(k, n_relevant); NaN where nothing is relevant; mean: MAP.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4, cut at k.
    """
    first = _first(judged, k)
    precision = first.cumsum(axis=1) / np.arange(1, k + 1)
    mean: F64 = (precision * first).sum(axis=1) / np.minimum(_or_nan(judged), k)
    return mean


def _first(judged: Judged, k: int) -> npt.NDArray[np.bool_]:
    if not 1 <= k <= judged.hits.shape[1]:
        raise InputError(f"k is {k}; expected 1 to {judged.hits.shape[1]}, the length of the lists")
    return judged.hits[:, :k]


def _or_nan(judged: Judged) -> F64:
    return np.where(judged.n_relevant > 0, judged.n_relevant, np.nan)
