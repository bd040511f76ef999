"""
Find the relevant recommendations (hits), from which all accuracy metrics are computed.

A hash table decides most recommendations quickly: each relevant track is in the slot given by its lowest bits, and a
recommendation is a hit if its slot has the same track. Where two relevant tracks of a user contest a slot, it is looked
up in the sorted pairs of user and relevant track, so the result is exact. Blocks of users are processed in parallel; a
block's table fits a core's cache.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import Bool, Csr
from recsys.errors import InputError

N_SLOTS = 1024  # per user, a power of two: of 20 relevant tracks, two contest a slot for one user in six
N_BLOCK = 512  # users per block; their slots take two megabytes
EMPTY, CONTESTED = -2, -3  # slots without a track, or with more than one; no track row and no padding

Ranked: TypeAlias = npt.NDArray[np.integer[Any]]


def find_hits(ranked: Ranked, relevant: Csr) -> Bool:
    """
    Return True for each recommendation that is one of its user's relevant tracks.

    Args:
        ranked: Track rows, each at most once per list. Shape (n_users, n_ranked); padded with -1, which is never a hit.
        relevant: Relevant tracks. CSR in canonical form, shape (n_users, n_tracks), in the row order of `ranked`;
            a stored 0 or False is not relevant.

    Returns:
        Shape (n_users, n_ranked), bool.

    Raises:
        InputError: A list contains a track twice, or a track row outside the catalogue.

    >>> import scipy.sparse as sp
    >>> find_hits(np.array([[2, 0, -1]]), sp.csr_matrix([[0, 1, 1]])).tolist()
    [[True, False, False]]
    """
    if ranked.dtype != np.int32:
        ranked = ranked.astype(np.int64, copy=False)  # slots do not fit into narrower integers
    if not relevant.data.all():
        relevant = relevant.copy()
        relevant.eliminate_zeros()
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
    lowest, highest = ranked.min(initial=-1), ranked.max(initial=-1)
    if lowest < -1 or highest >= n_tracks:
        raise InputError(
            f"ranked: found track rows {lowest} to {highest}, expected 0 to {n_tracks - 1}, or -1 for padding"
        )
    width = np.int32 if highest <= np.iinfo(np.int32).max else np.int64
    ordered: Ranked = ranked.astype(width)  # half the width sorts twice as fast
    ordered.sort(axis=1)
    is_repeated = ordered[:, 1:] == ordered[:, :-1]
    if is_repeated.any() and (is_repeated & (ordered[:, 1:] >= 0)).any():
        raise InputError("ranked: found a track twice in one list, expected each track once")


def _hits_of_block(ranked: Ranked, n_relevant: Ranked, tracks: Ranked) -> Bool:
    """Return the hits of a block. `tracks` concatenates the relevant tracks of its users, `n_relevant` per user."""
    n_users, n_ranked = ranked.shape
    owner = np.repeat(np.arange(n_users), n_relevant)
    table, own_slots = np.full(n_users * N_SLOTS, EMPTY, tracks.dtype), owner * N_SLOTS + (tracks & (N_SLOTS - 1))
    table[own_slots] = tracks
    table[own_slots[table[own_slots] != tracks]] = CONTESTED
    slots = (ranked & (N_SLOTS - 1)) + np.arange(n_users)[:, None] * N_SLOTS
    found = table.take(slots.ravel(), mode="clip")  # every slot is in range; "clip" only skips the check
    hits: Bool = found == ranked.ravel()
    undecided = np.flatnonzero(found == CONTESTED)
    hits[undecided] = _in_pairs(undecided // max(1, n_ranked), ranked.ravel()[undecided], owner, tracks)
    return hits.reshape(ranked.shape)


def _in_pairs(user: Ranked, track: Ranked, owner: Ranked, tracks: Ranked) -> Bool:
    """Return True for each pair (user, track) that is one of the sorted pairs (owner, tracks)."""
    width = 1 + max(int(tracks.max(initial=0)), int(track.max(initial=0)))
    pairs, keys = owner * width + tracks, user * width + track
    is_pair: Bool = pairs.take(np.searchsorted(pairs, keys), mode="clip") == keys
    return is_pair & (track >= 0)
