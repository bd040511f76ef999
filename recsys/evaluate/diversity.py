"""
Metrics of diversity within a list, calibration to the listener's genres, and serendipity.

Conventions: those of `beyond_accuracy`. A track without a known feature is left out. A value without evidence is NaN:
the diversity of a catalogue without features is unknown, not 0.
"""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F64, I64, Csr
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import Hits
from recsys.evaluate.training_profile import genre_mix_of

SMOOTHING = 0.01  # share of the listener's genre mix that is blended into the list's: Steck's alpha


def intra_list_diversity_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the mean distance between the first k tracks: 1 - cosine of their features; 0 all equal, 1 nothing in common.

    NaN where fewer than two tracks of the list have a known feature.

    Source: Ziegler et al., Improving Recommendation Lists Through Topic Diversification (2005), with the cosine.
    """
    shown, vectors = _shown(lists, k), lists.profile.vectors
    n = shown @ (np.diff(vectors.indptr) > 0).astype(np.float64)
    total = shown @ vectors
    # Of n vectors of length 1, |sum|^2 = n + the cosines of all n (n - 1) ordered pairs.
    cosines = np.asarray(total.multiply(total).sum(axis=1)).ravel() - n
    distance: F64 = np.clip(1 - cosines / np.where(n > 1, n * (n - 1), np.nan), 0, 1)
    return distance


def miscalibration_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the Kullback-Leibler divergence of the list's genre mix from the listener's [nat]; 0 means no difference.

    p is the genre mix of the listener's liked tracks, q that of the first k recommendations. A track of several genres
    counts for each of them in equal parts. To keep the value finite, 0.01 of p is blended into q; the largest value is
    ln 100. NaN where p or q has no known genre.

    Source:
        Steck, Calibrated Recommendations (2018), formulas 2 to 5 with equal weights.
    """
    p, q = lists.profile.genre_mix, genre_mix_of(_shown(lists, k), lists.profile.genres)
    smoothed = (1 - SMOOTHING) * q + SMOOTHING * p
    q_at_p = p.astype(np.bool_).multiply(smoothed).tocsr().sorted_indices()  # at the genres of p, where q is above 0
    divergence = sp.csr_matrix((p.data * np.log(p.data / q_at_p.data), p.indices, p.indptr), p.shape).sum(axis=1)
    is_known = (np.diff(p.indptr) > 0) & (np.diff(q.indptr) > 0)
    return np.where(is_known, np.maximum(np.asarray(divergence).ravel(), 0), np.nan)


def serendipity_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the share of the first k positions with a relevant track that a popularity ranking would not recommend.

    The popularity ranking recommends to each listener the k tracks with the most training listeners among those that
    the listener has not touched. 0..1, never above precision; NaN where nothing is relevant.

    Source:
        Ge, Delgado-Battenfeld, Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage and Serendipity
        (2010): unexpected and useful, unexpected means that a primitive model does not recommend it.
    """
    lists.first(k)  # raises if k is out of range
    hits = lists.evaluated.within(k)
    unexpected = _popularity_positions(lists, hits) >= k
    n_found = np.bincount(hits.user[unexpected], minlength=len(lists.ranked))
    return np.where(lists.evaluated.n_relevant > 0, n_found / k, np.nan)


def _popularity_positions(lists: RankedLists, hits: Hits) -> I64:
    """Return the position, from 0, of each hit's track in the popularity ranking of what its user has not touched."""
    rank, seen = lists.profile.popularity_rank, lists.profile.seen
    owner = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    touched = np.sort(owner * len(rank) + rank[seen.indices])  # by user, then by popularity
    of_hit = rank[lists.ranked[hits.user, hits.rank - 1]]
    n_before = np.searchsorted(touched, hits.user * len(rank) + of_hit) - seen.indptr[hits.user]
    positions: I64 = of_hit - n_before
    return positions


def _shown(lists: RankedLists, k: int) -> Csr:
    """Return the first k recommendations as a 0/1 matrix: CSR, shape (n_users, n_tracks), float64."""
    first = lists.first(k)
    is_shown = first >= 0
    indptr = np.concatenate([[0], np.cumsum(is_shown.sum(axis=1))])
    shape = (len(first), len(lists.profile.listener_counts))
    return sp.csr_matrix((np.ones(indptr[-1]), first[is_shown], indptr), shape)
