"""
Which recommendations are relevant: the one look-up that all accuracy metrics share.

A sieve decides nearly every place by one byte: a relevant track marks the slot of its low bits, and a recommendation
whose slot is unmarked is no hit. The few that fall through are searched for in the sorted pairs, so that the answer is
exact. Blocks of users whose sieve fits a core's cache are worked on by all cores.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import Bool, Csr
from recsys.errors import InputError

N_SLOTS = 1024  # a user, a power of two: with 20 relevant tracks, 98 of 100 strangers stay in the sieve
N_BLOCK = 512  # users: half a megabyte of slots

Ranked: TypeAlias = npt.NDArray[np.integer[Any]]


def find_hits(ranked: Ranked, relevant: Csr) -> Bool:
    """
    Whether each recommendation is among its user's relevant tracks.

    Args:
        ranked: Track rows, each once a user. Shape (n_users, n_ranked); -1: an empty place, never a hit.
        relevant: CSR in canonical form, shape (n_users, n_tracks), in the row order of `ranked`.

    Returns:
        Shape (n_users, n_ranked), bool.

    Raises:
        InputError: A list names a track twice, or one that is not in the catalogue.

    >>> import scipy.sparse as sp
    >>> find_hits(np.array([[2, 0, -1]]), sp.csr_matrix([[0, 1, 1]])).tolist()
    [[True, False, False]]
    """
    hits = np.empty(ranked.shape, np.bool_)
    n_workers = len(os.sched_getaffinity(0))

    def work(worker: int) -> None:
        for start in range(worker * N_BLOCK, len(ranked), n_workers * N_BLOCK):
            block = ranked[start : start + N_BLOCK]
            _refuse_odd_lists(block, relevant.shape[1])
            indptr = relevant.indptr[start : start + len(block) + 1]
            tracks = relevant.indices[indptr[0] : indptr[-1]]
            hits[start : start + N_BLOCK] = _hits_of_block(block, np.diff(indptr), tracks)

    with ThreadPoolExecutor(n_workers) as pool:
        list(pool.map(work, range(n_workers)))
    return hits


def _refuse_odd_lists(ranked: Ranked, n_tracks: int) -> None:
    ordered = np.sort(ranked, axis=1)
    least, most = ordered[:, :1].min(initial=-1), ordered[:, -1:].max(initial=-1)
    if least < -1 or most >= n_tracks:
        raise InputError(f"lists name track rows {least} to {most}; expected 0 to {n_tracks - 1}, or -1 for none")
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise InputError("a list names a track twice; expected each track once")


def _hits_of_block(ranked: Ranked, n_relevant: Ranked, tracks: Ranked) -> Bool:
    """Look the block's lists up among `tracks`, of which the first `n_relevant[0]` are the first user's, and so on."""
    n_users, n_ranked = ranked.shape
    owner = np.repeat(np.arange(n_users), n_relevant)
    sieve = np.zeros(n_users * N_SLOTS, np.bool_)
    sieve[owner * N_SLOTS + (tracks & (N_SLOTS - 1))] = True
    slots = (ranked & (N_SLOTS - 1)) + np.arange(n_users)[:, None] * N_SLOTS
    hits = sieve.take(slots.ravel(), mode="clip")  # no slot is out of range: "clip" spares the check
    left = np.flatnonzero(hits)
    hits[left] = _in_pairs(left // max(1, n_ranked), ranked.ravel()[left], owner, tracks)
    return hits.reshape(ranked.shape)


def _in_pairs(user: Ranked, track: Ranked, owner: Ranked, tracks: Ranked) -> Bool:
    """Whether each (user, track) is among the pairs (owner, tracks), which are sorted."""
    width = 1 + max(int(tracks.max(initial=0)), int(track.max(initial=0)))
    pairs, wanted = owner * width + tracks, user * width + track
    found: Bool = pairs.take(np.searchsorted(pairs, wanted), mode="clip") == wanted
    return found & (track >= 0)
