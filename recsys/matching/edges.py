"""
Where uses begin and end: fades of several lengths, fitted to the similarity of query and recording around rough edges.

In a cross-fade the similarity rises long after the recording has begun to sound, since the other music is louder at
first. How long before depends on the length of the fade, which one edge alone hardly shows. The fades of a mix have
similar lengths: the share of each length is estimated from all edges of a query, and then the place of each edge.
"""

import numpy as np

from recsys.arrays import F64
from recsys.audio.fingerprint.fingerprinter import VECTOR_HOP_S

REACH_S = 10.0  # similarity is compared within this distance of the rough edge [s]
STARTS_S = np.arange(-REACH_S, 4.0, VECTOR_HOP_S)  # distances of the edge from the rough edge that are compared
FADES_S = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 8.0])  # lengths of a fade that are compared; 0 is a cut
PRIOR = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])  # share of each length before anything is known, as of one edge
RISES_FROM, RISES_UNTIL = 0.15, 0.8  # share of a fade's length at which similarity begins and ends to rise
BLUR_S = 0.55  # a vector hears a second of sound: the rise begins earlier and ends later by half of it [s]
LEVEL = 1.15  # similarity after the rise; the median of a use is 1, and its edges are lower
N_LEVEL = 10.0  # number of vectors at which the level of a use counts as much as LEVEL
VARIANCE = 0.25  # of similarity around the rise, times the number of neighbouring vectors that vary together
N_ROUNDS = 30  # of the estimate of shares


def fit_fades(distances_s: F64, similarity: F64) -> F64:
    """
    Return how likely each length of a fade and each place of the edge are.

    Args:
        distances_s: Distances of vectors from the rough edge, positive towards the inside of the use, shape (n,) [s].
        similarity: Similarity there, about 0 outside and 1 inside, shape (n,).

    Returns:
        Likelihoods relative to the largest one, 0..1, shape (len(FADES_S), len(STARTS_S)).
    """
    is_near = np.abs(distances_s) <= REACH_S
    from_start_s = distances_s[is_near] - STARTS_S[:, None]  # (n_starts, n)
    first_s, last_s = RISES_FROM * FADES_S - BLUR_S, RISES_UNTIL * FADES_S + BLUR_S
    shapes = np.clip((from_start_s - first_s[:, None, None]) / (last_s - first_s)[:, None, None], 0, 1)
    inside = np.square(shapes).sum(axis=2)
    levels = ((shapes * similarity[is_near]).sum(axis=2) + N_LEVEL * LEVEL) / (inside + N_LEVEL)
    errors = np.square(similarity[is_near] - levels[..., None] * shapes).sum(axis=2)
    return np.asarray(np.exp((errors.min() - errors) / (2 * VARIANCE)), np.float64)


def corrections_s(likelihoods: F64) -> F64:
    """
    Return the distance of each edge of a query from its rough edge [s], negative where the use extends further outside.

    Args:
        likelihoods: Result of `fit_fades` for each edge, shape (n, len(FADES_S), len(STARTS_S)), n >= 1.

    Returns:
        Medians of the distance, shape (n,). The shares of the lengths of fades are the most likely ones for all edges
        together (expectation maximisation, with PRIOR as one more edge).
    """
    by_length, shares = likelihoods.sum(axis=2), PRIOR
    for _ in range(N_ROUNDS):
        lengths = by_length * shares
        shares = (lengths / lengths.sum(axis=1, keepdims=True)).sum(axis=0) + PRIOR
        shares = shares / shares.sum()
    by_start = np.cumsum(np.einsum("efs,f->es", likelihoods, shares), axis=1)
    return np.asarray(STARTS_S[(by_start >= by_start[:, -1:] / 2).argmax(axis=1)], np.float64)
