"""
Item-item weights of a catalogue too large for one inverse: a ridge regression of each track on its neighbours alone.

The neighbours of a track are those that, each by itself, explain most of its interactions. The Gram matrix of the whole
catalogue is never made: neighbours are found in blocks of its rows, and the tracks are then solved in groups that share
neighbours, each with the Gram matrix of its own. Memory is that of the result and of a few blocks. Used by
`recommenders.ease`.

Source: Ning, Karypis, SLIM: Sparse Linear Methods for Top-N Recommender Systems (ICDM 2011), for the selection of
features; the selection by explained interactions is that of Fan, Lv, Sure Independence Screening (JRSS B 2008).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.sparse import with_data
from recsys.recommenders.parts.sparse import largest_per_row
from recsys.recommenders.parts.workers import n_cores, one_blas_thread

N_BLOCK = 1024  # tracks per block of the neighbour search
N_GROUP = 64  # maximum number of tracks that are solved together
N_SHARED = 6_000  # maximum number of tracks in the Gram matrix of a group: 144 MB
MAX_COMMON = 2_000  # a row with more tracks, for example a frequent genre, proposes no neighbours; ridges do use it


def neighbourhood_weights(rows: Csr, penalties: F32, n_neighbours: int) -> Csr:
    """
    Return the ridge regression of each track on its neighbours.

    Args:
        rows: Observations: weighted interactions of users, and features. CSR, shape (n_rows, n_tracks), float32.
        penalties: L2 regularization of the weights of each track, > 0. Shape (n_tracks,).
        n_neighbours: Maximum number of neighbours per track, >= 1.

    Returns:
        Weights: row = played track, column = scored track. CSR with sorted indices, shape (n_tracks, n_tracks),
        float32; no track has a weight for itself.

    Raises:
        LinAlgError: The Gram matrix of a neighbourhood is singular in single precision.
    """
    by_track = rows.T.tocsr()
    nearest = _neighbours(rows, by_track, penalties, n_neighbours)

    def solve(tracks: Rows) -> tuple[Rows, F32]:
        return tracks, _solved(by_track, penalties, nearest, tracks)

    weights = np.empty(nearest.nnz, np.float32)
    with one_blas_thread(), ThreadPoolExecutor(n_cores()) as pool:
        for tracks, solved in pool.map(solve, _groups(nearest)):
            weights[_entries(nearest, tracks)] = solved
    return with_data(nearest, weights).T.tocsr()


def _neighbours(rows: Csr, by_track: Csr, penalties: F32, n: int) -> Csr:
    """
    Find the tracks that explain most of each track's interactions, one by one.

    In a ridge regression on track i alone, the squared error of track j falls by gram[i, j]^2 / (gram[i, i] + penalty).

    Returns:
        For each track (row), its neighbours; the values do not matter. CSR with sorted indices.
    """
    counts = np.diff(rows.indptr)
    proposing = rows[np.flatnonzero((counts > 1) & (counts <= MAX_COMMON))]
    squares = np.asarray(by_track.multiply(by_track).sum(axis=1)).ravel().astype(np.float32) + penalties
    own = proposing.T.tocsr()

    def nearest(start: int) -> Csr:
        products = own[start : start + N_BLOCK] @ proposing
        track = np.repeat(np.arange(products.shape[0]), np.diff(products.indptr)) + start
        gains = products.data * products.data / squares[products.indices]
        gains[products.indices == track] = 0
        explained = with_data(products, gains)
        explained.eliminate_zeros()
        return largest_per_row(explained, n)

    with ThreadPoolExecutor(n_cores()) as pool:
        found = sp.vstack(list(pool.map(nearest, range(0, by_track.shape[0], N_BLOCK))), format="csr")
    found.sort_indices()
    return found


def _groups(nearest: Csr) -> Iterator[Rows]:
    """Yield groups of tracks with at least one neighbour, tracks with the same strongest neighbour together."""
    counts = np.diff(nearest.indptr)
    with_neighbours = np.flatnonzero(counts)
    first = np.maximum.reduceat(nearest.data, nearest.indptr[with_neighbours]) if len(with_neighbours) else np.empty(0)
    strongest = np.full(len(counts), -1, np.int64)
    is_first = nearest.data == np.repeat(first, counts[with_neighbours])
    track = np.repeat(np.arange(len(counts)), counts)[is_first]
    strongest[track[::-1]] = nearest.indices[is_first][::-1]  # of equal ones, the lowest row
    order = with_neighbours[np.argsort(strongest[with_neighbours], kind="stable")]
    for start in range(0, len(order), N_GROUP):
        yield from _small_enough(nearest, order[start : start + N_GROUP])


def _small_enough(nearest: Csr, tracks: Rows) -> Iterator[Rows]:
    """Halve a group until its tracks and their neighbours are at most `N_SHARED`, or it is one track."""
    if len(tracks) == 1 or len(_shared(nearest, tracks)) <= N_SHARED:
        yield tracks
        return
    half = len(tracks) // 2
    yield from _small_enough(nearest, tracks[:half])
    yield from _small_enough(nearest, tracks[half:])


def _shared(nearest: Csr, tracks: Rows) -> Rows:
    """Return the tracks of a group and all their neighbours, sorted."""
    return np.union1d(tracks, nearest[tracks].indices)


def _entries(nearest: Csr, tracks: Rows) -> Rows:
    """Return the indices into `nearest.data` of the neighbours of these tracks, one track after the other."""
    counts = np.diff(nearest.indptr)[tracks]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    entries: Rows = np.repeat(nearest.indptr[:-1][tracks], counts) + within
    return entries


def _solved(by_track: Csr, penalties: F32, nearest: Csr, tracks: Rows) -> F32:
    """Solve the ridge regressions of a group. Returns the weights in the order of `_entries`."""
    shared = _shared(nearest, tracks)
    own = by_track[shared]
    gram = (own @ own.T).toarray()  # (n_shared, n_shared)
    gram[np.diag_indices_from(gram)] += penalties[shared]
    neighbours = nearest[tracks]
    counts = np.diff(neighbours.indptr)
    is_neighbour = np.arange(counts.max()) < counts[:, None]  # (B,N)
    position = np.zeros(is_neighbour.shape, np.int64)
    position[is_neighbour] = np.searchsorted(shared, neighbours.indices)
    left = gram[position[:, :, None], position[:, None, :]]  # (B,N,N)
    left *= is_neighbour[:, :, None] & is_neighbour[:, None, :]
    left[:, np.arange(counts.max()), np.arange(counts.max())] += ~is_neighbour  # padding has weight 0
    right = gram[position, np.searchsorted(shared, tracks)[:, None]] * is_neighbour  # (B,N)
    weights: F32 = np.linalg.solve(left, right[:, :, None])[is_neighbour, 0]
    return weights
