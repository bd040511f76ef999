"""
Metrics of diversity within a list, calibration to the listener's genres, and serendipity.

Conventions as in `beyond_accuracy`. Tracks without a known feature are left out. A value that cannot be computed is
NaN, not 0: for example, diversity in a catalogue without features.
"""

import numpy as np
import scipy.sparse as sp
from scipy.special import rel_entr

from recsys.arrays import F64, I64, Csr
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import Hits
from recsys.evaluate.training_profile import genre_mix_of

SMOOTHING = 0.01  # weight of the listener's genre mix when it is blended into the list's mix; alpha in Steck (2018)


def intra_list_diversity_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the mean distance (1 - cosine of the feature vectors) over all pairs of the first k tracks, 0..1.

    0: all tracks have the same features; 1: no two tracks have a feature in common. NaN if fewer than two tracks have a
    known feature.

    Source: Ziegler et al., Improving Recommendation Lists Through Topic Diversification (2005).
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
    Return the Kullback-Leibler divergence [nat] of the list's genre mix from the listener's; 0 means no difference.

    The listener's mix p is computed from their liked tracks, the list's mix q from the first k recommendations. A track
    with n genres counts 1/n for each. To keep the value finite, q is replaced by 0.99 q + 0.01 p; the maximum is ln
    100. NaN if p or q has no known genre.

    Source:
        Steck, Calibrated Recommendations (2018), formulas 2 to 5 with equal weights.
    """
    p, q = lists.profile.genre_mix, genre_mix_of(_shown(lists, k), lists.profile.genres)
    smoothed = (1 - SMOOTHING) * q + SMOOTHING * p
    q_at_p = p.astype(np.bool_).multiply(smoothed).tocsr().sorted_indices()  # values at the genres of p, all > 0
    divergence = sp.csr_matrix((rel_entr(p.data, q_at_p.data), p.indices, p.indptr), p.shape).sum(axis=1)
    is_known = (np.diff(p.indptr) > 0) & (np.diff(q.indptr) > 0)
    return np.where(is_known, np.maximum(np.asarray(divergence).ravel(), 0), np.nan)


def serendipity_at_k(lists: RankedLists, k: int) -> F64:
    """
    Return the share of the first k positions with a relevant track that a popularity ranking would not recommend.

    The popularity ranking recommends to each listener the k tracks with the most training listeners, excluding tracks
    that no list may contain. 0..1, at most the precision; NaN if nothing is held out.

    Source:
        Ge, Delgado-Battenfeld, Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage and Serendipity
        (2010): an item is serendipitous if it is useful and a primitive model does not recommend it.
    """
    lists.first(k)  # raises if k is out of range
    hits = lists.evaluated.within(k)
    unexpected = _popularity_positions(lists, hits) >= k
    n_found = np.bincount(hits.user[unexpected], minlength=len(lists.ranked))
    return np.where(lists.evaluated.n_relevant > 0, n_found / k, np.nan)


def _popularity_positions(lists: RankedLists, hits: Hits) -> I64:
    """Return the 0-based position of each hit's track in the popularity ranking of the user's allowed tracks."""
    rank, hidden = lists.profile.popularity_rank, lists.hidden
    owner = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr))
    hidden_ranks = np.sort(owner * len(rank) + rank[hidden.indices])  # by user, then by popularity
    of_hit = rank[lists.ranked[hits.user, hits.rank - 1]]
    n_before = np.searchsorted(hidden_ranks, hits.user * len(rank) + of_hit) - hidden.indptr[hits.user]
    positions: I64 = of_hit - n_before
    return positions


def _shown(lists: RankedLists, k: int) -> Csr:
    """Return the first k recommendations as a 0/1 matrix. CSR, shape (n_users, n_tracks), float64."""
    first = lists.first(k)
    is_shown = first >= 0
    indptr = np.concatenate([[0], np.cumsum(is_shown.sum(axis=1))])
    shape = (len(first), len(lists.profile.listener_counts))
    return sp.csr_matrix((np.ones(indptr[-1]), first[is_shown], indptr), shape)
