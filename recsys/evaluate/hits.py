"""
Find the relevant recommendations (hits), from which all accuracy metrics are computed.

A hash filter rejects most recommendations quickly: each relevant track marks the slot given by its lowest bits, and a
recommendation is rejected if its slot is not marked. All others are looked up in the sorted pairs of user and relevant
track, so the result is exact. Blocks of users are processed in parallel; a block's filter fits a core's cache.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import Bool, Csr
from recsys.errors import InputError

N_SLOTS = 1024  # per user, a power of two: with 20 relevant tracks, 98 % of all other tracks are rejected
N_BLOCK = 512  # users per block; their slots take half a megabyte

Ranked: TypeAlias = npt.NDArray[np.integer[Any]]


def find_hits(ranked: Ranked, relevant: Csr) -> Bool:
    """
    Return True for each recommendation that is one of its user's relevant tracks.

    Args:
        ranked: Track rows, each at most once per list. Shape (n_users, n_ranked); padded with -1, which is never a hit.
        relevant: Relevant tracks. CSR in canonical form, shape (n_users, n_tracks), in the row order of `ranked`.

    Returns:
        Shape (n_users, n_ranked), bool.

    Raises:
        InputError: A list contains a track twice, or a track row outside the catalogue.

    >>> import scipy.sparse as sp
    >>> find_hits(np.array([[2, 0, -1]]), sp.csr_matrix([[0, 1, 1]])).tolist()
    [[True, False, False]]
    """
    hits = np.empty(ranked.shape, np.bool_)
    n_workers = len(os.sched_getaffinity(0))

    def work(worker: int) -> None:
        for start in range(worker * N_BLOCK, len(ranked), n_workers * N_BLOCK):
            block = ranked[start : start + N_BLOCK]
            _check_lists(block, relevant.shape[1])
            indptr = relevant.indptr[start : start + len(block) + 1]
            tracks = relevant.indices[indptr[0] : indptr[-1]]
            hits[start : start + N_BLOCK] = _hits_of_block(block, np.diff(indptr), tracks)

    with ThreadPoolExecutor(n_workers) as pool:
        list(pool.map(work, range(n_workers)))
    return hits


def _check_lists(ranked: Ranked, n_tracks: int) -> None:
    ordered = np.sort(ranked, axis=1)
    lowest, highest = ordered[:, :1].min(initial=-1), ordered[:, -1:].max(initial=-1)
    if lowest < -1 or highest >= n_tracks:
        raise InputError(
            f"ranked: found track rows {lowest} to {highest}, expected 0 to {n_tracks - 1}, or -1 for padding"
        )
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise InputError("ranked: found a track twice in one list, expected each track once")


def _hits_of_block(ranked: Ranked, n_relevant: Ranked, tracks: Ranked) -> Bool:
    """Return the hits of a block. `tracks` concatenates the relevant tracks of its users, `n_relevant` per user."""
    n_users, n_ranked = ranked.shape
    owner = np.repeat(np.arange(n_users), n_relevant)
    is_marked = np.zeros(n_users * N_SLOTS, np.bool_)
    is_marked[owner * N_SLOTS + (tracks & (N_SLOTS - 1))] = True
    slots = (ranked & (N_SLOTS - 1)) + np.arange(n_users)[:, None] * N_SLOTS
    hits = is_marked.take(slots.ravel(), mode="clip")  # every slot is in range; "clip" only skips the check
    undecided = np.flatnonzero(hits)
    hits[undecided] = _in_pairs(undecided // max(1, n_ranked), ranked.ravel()[undecided], owner, tracks)
    return hits.reshape(ranked.shape)


def _in_pairs(user: Ranked, track: Ranked, owner: Ranked, tracks: Ranked) -> Bool:
    """Return True for each pair (user, track) that is one of the sorted pairs (owner, tracks)."""
    width = 1 + max(int(tracks.max(initial=0)), int(track.max(initial=0)))
    pairs, keys = owner * width + tracks, user * width + track
    is_pair: Bool = pairs.take(np.searchsorted(pairs, keys), mode="clip") == keys
    return is_pair & (track >= 0)
