"""
Labels for recordings without any: spread from labelled recordings to similar ones (semi-supervised learning).

Recordings are joined with their nearest neighbours and with those of their artist, and labels flow along these edges
until they settle. The guessed labels train the head together with the given ones, with less weight.

Source: Zhou, Bousquet, Lal, Weston, Schoelkopf, Learning with Local and Global Consistency (NIPS 2003); class mass
normalisation: Zhu, Ghahramani, Lafferty, Semi-Supervised Learning Using Gaussian Fields and Harmonic Functions (ICML
2003).
"""

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F32, F64, I64, Bool, Csr
from recsys.dataset.feature_vectors import unit_rows

N_NEIGHBOURS = 30
N_COMPONENTS = 64  # principal components in which neighbours are searched
SPREAD = 0.99  # share of a recording's label that comes from its neighbours
N_STEPS = 150
SHARPNESS = 3  # power of the shares of tags that exclude each other
MAX_OF_ARTIST = 100  # recordings; artists with more, such as "Various Artists", do not join theirs
BLOCK = 1024  # rows whose neighbours are searched at once


def principal_components(encoded: F32, n: int = N_COMPONENTS) -> F32:
    """Return the leading principal components of encoded inputs, shape (n_rows, at most n), float32."""
    centred = encoded.astype(np.float64) - encoded.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    leading = vectors[:, np.argsort(-values)[:n]]
    components: F32 = (centred @ leading).astype(np.float32)
    return components


def neighbour_graph(points: F32, artists: I64, *, k: int = N_NEIGHBOURS) -> Csr:
    """
    Return the symmetric graph of the k nearest neighbours by cosine and of artists, normalised by degree.

    Args:
        points: Shape (n, n_dimensions). A point of zeros has no similar neighbour: its edges have weight 0.
        artists: Number of each point's artist, 0 to n_artists - 1. Shape (n,).
        k: Neighbours of each point; fewer if there are fewer points.

    Returns:
        CSR, shape (n, n): D^-1/2 W D^-1/2, where W holds cosines above 0; to all recordings of its artist together, a
        point has weight 1 more.
    """
    n, unit = len(points), unit_rows(points)
    k_found = min(k, n - 1)
    if k_found < 1:
        return sp.csr_matrix((n, n))
    rows, columns, weights = [], [], []
    for start in range(0, n, BLOCK):
        cosines = unit[start : start + BLOCK] @ unit.T  # (B,n)
        own = np.arange(len(cosines))
        cosines[own, start + own] = -np.inf
        nearest = np.argpartition(-cosines, k_found - 1, axis=1)[:, :k_found]
        rows.append(np.repeat(start + own, k_found))
        columns.append(nearest.ravel())
        weights.append(np.take_along_axis(cosines, nearest, axis=1).ravel())
    data = np.concatenate(weights).astype(np.float64).clip(min=0)
    directed = sp.csr_matrix((data, (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))
    graph = directed.maximum(directed.T) + _of_same_artist(artists)
    scale = sp.diags(1 / np.sqrt(np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)))
    return (scale @ graph @ scale).tocsr()


def _of_same_artist(artists: I64) -> Csr:
    """Return edges between the recordings of each artist, whose rows sum to 1, or to 0 for a single one. (n, n)."""
    n_of, n = np.bincount(artists), len(artists)
    weight = np.where((n_of > 1) & (n_of <= MAX_OF_ARTIST), 1 / np.maximum(n_of - 1, 1), 0)
    own = sp.csr_matrix((np.ones(n), (np.arange(n), artists)))
    edges = (own @ sp.diags(weight) @ own.T).tolil()
    edges.setdiag(0)
    return edges.tocsr()


def spread_labels(graph: Csr, targets: F32, is_labelled: Bool) -> F64:
    """
    Spread labels over a graph.

    Args:
        graph: See `neighbour_graph`. Shape (n, n).
        targets: Share of each tag of the labelled rows; other rows are ignored. Shape (n, n_tags).
        is_labelled: Which rows have labels. Shape (n,), bool.

    Returns:
        Share of each tag, shape (n, n_tags); rows sum to 1, or to 0 where no label arrives. The tags' sums are scaled
        to their shares among the labelled rows, so that a large cluster does not swallow its neighbours.
    """
    given = np.where(is_labelled[:, None], targets, 0).astype(np.float64)
    arriving = _settled(graph, given)
    mass = arriving.sum(axis=0)
    scaled = arriving * np.divide(given.sum(axis=0), mass, out=np.zeros_like(mass), where=mass > 0)
    total = scaled.sum(axis=1, keepdims=True)
    shares: F64 = np.divide(scaled, total, out=np.zeros_like(scaled), where=total > 0)
    return shares


def _settled(graph: Csr, given: F64) -> F64:
    arriving = given.copy()
    for _ in range(N_STEPS):
        arriving = SPREAD * (graph @ arriving) + (1 - SPREAD) * given
    return arriving


def guess(graph: Csr, targets: F32, is_labelled: Bool, *, exclusive: bool) -> tuple[F64, F64]:
    """
    Guess the tags of all rows from those of the labelled ones.

    Args:
        graph: See `neighbour_graph`. Shape (n, n).
        targets: Share of each tag of the labelled rows; other rows are ignored. Shape (n, n_tags).
        is_labelled: Which rows have labels. Shape (n,).
        exclusive: Whether tags exclude each other.

    Returns:
        Share of each tag, 0..1, shape (n, n_tags), and how certain the guess is, shape (n,): 1 where it is a single tag
        (or, for each tag, surely given or not), 0 where all are equally likely or no label arrives.
    """
    if exclusive:
        sharp = spread_labels(graph, targets, is_labelled) ** SHARPNESS
        total = sharp.sum(axis=1, keepdims=True)
        shares = np.divide(sharp, total, out=np.zeros_like(sharp), where=total > 0)
        return shares, certainty(shares)
    arrived = _settled(graph, is_labelled[:, None].astype(np.float64))
    arriving = _settled(graph, np.where(is_labelled[:, None], targets, 0).astype(np.float64))
    shares = np.divide(arriving, arrived, out=np.zeros_like(arriving), where=arrived > 0)
    of_tags = [certainty(np.stack([share, 1 - share], axis=1)) for share in shares.T]
    return shares, np.where(arrived[:, 0] > 0, np.mean(of_tags, axis=0), 0.0)


def certainty(shares: F64) -> F64:
    """Return 1 - entropy / log(n_tags) of each row, 0..1: 1 where a single tag arrived, 0 where all or none did."""
    if shares.shape[1] < 2:
        return np.asarray(shares.sum(axis=1))
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
    return np.where(shares.sum(axis=1) > 0, 1 - entropy / np.log(shares.shape[1]), 0.0).clip(0, 1)
