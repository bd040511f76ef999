"""
How unlike one another the tracks of a list are, how like the listener, and what popularity would not have found.

Conventions: those of `beyond`; a track of which no feature is known is left out, and a value that nothing supports is
NaN, so a catalogue without features has no diversity rather than none.
"""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F64, I64, Csr
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.ranking import Hits
from recsys.evaluate.training_profile import mix_of

SMOOTHING = 0.01  # of the listener's mix in the list's: Steck's alpha


def intra_list_diversity_at_k(exposed: RankedLists, k: int) -> F64:
    """
    Mean distance of the pairs among the first k tracks: 1 - cosine of their features; 0 all alike, 1 nothing shared.

    NaN where fewer than two tracks of the list have a known feature.

    Source: Ziegler et al., Improving Recommendation Lists Through Topic Diversification (2005), with the cosine.
    """
    shown, vectors = _shown(exposed, k), exposed.past.vectors
    n = shown @ (np.diff(vectors.indptr) > 0).astype(np.float64)
    total = shown @ vectors
    # Of n vectors of length 1, |sum|^2 = n + the cosines of all n (n - 1) ordered pairs.
    cosines = np.asarray(total.multiply(total).sum(axis=1)).ravel() - n
    distance: F64 = np.clip(1 - cosines / np.where(n > 1, n * (n - 1), np.nan), 0, 1)
    return distance


def miscalibration_at_k(exposed: RankedLists, k: int) -> F64:
    """
    How far the genres of the first k tracks are from the listener's own: Kullback-Leibler divergence [nat], 0 the same.

    p is the mix of the listener's own tracks, q that of the list; a track of several genres is split among them, and q
    takes in 0.01 of p so that a missing genre stays finite (the worst is ln 100). NaN where either has no known genre.

    Source:
        Steck, Calibrated Recommendations (2018), formulas 2 to 5 with equal weights.
    """
    p, q = exposed.past.mix, mix_of(_shown(exposed, k), exposed.past.genres)
    smoothed = (1 - SMOOTHING) * q + SMOOTHING * p
    beside = p.astype(np.bool_).multiply(smoothed).tocsr().sorted_indices()  # at the genres of p, where it is never 0
    divergence = sp.csr_matrix((p.data * np.log(p.data / beside.data), p.indices, p.indptr), p.shape).sum(axis=1)
    is_known = (np.diff(p.indptr) > 0) & (np.diff(q.indptr) > 0)
    return np.where(is_known, np.maximum(np.asarray(divergence).ravel(), 0), np.nan)


def serendipity_at_k(exposed: RankedLists, k: int) -> F64:
    """
    Share of the k places that hold a relevant track which popularity alone would not have shown there.

    Popularity alone shows each listener the k tracks with the most training listeners that this one has not touched.
    0..1, never above precision; NaN where nothing is relevant.

    Source:
        Ge, Delgado-Battenfeld, Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage and Serendipity
        (2010): unexpected and useful, unexpected being what a primitive model does not recommend.
    """
    exposed.first(k)  # refuses a k out of range
    hits = exposed.judged.within(k)
    unexpected = _place_by_popularity(exposed, hits) >= k
    n_found = np.bincount(hits.user[unexpected], minlength=len(exposed.ranked))
    return np.where(exposed.judged.n_relevant > 0, n_found / k, np.nan)


def _place_by_popularity(exposed: RankedLists, hits: Hits) -> I64:
    """Place, from 0, that each hit's track has among what its user has not touched, most popular first."""
    place, seen = exposed.past.popularity_place, exposed.past.seen
    owner = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    touched = np.sort(owner * len(place) + place[seen.indices])  # by user, then by popularity
    of_hit = place[exposed.ranked[hits.user, hits.place - 1]]
    n_before = np.searchsorted(touched, hits.user * len(place) + of_hit) - seen.indptr[hits.user]
    places: I64 = of_hit - n_before
    return places


def _shown(exposed: RankedLists, k: int) -> Csr:
    """Return the first k places as a matrix of who is shown what: CSR, shape (n_users, n_tracks), float64."""
    first = exposed.first(k)
    is_shown = first >= 0
    indptr = np.concatenate([[0], np.cumsum(is_shown.sum(axis=1))])
    shape = (len(first), len(exposed.past.listeners))
    return sp.csr_matrix((np.ones(indptr[-1]), first[is_shown], indptr), shape)
