"""
Why a track is recommended: the listener's own track that speaks most for it.

A model says how far one track speaks for another, by vectors of tracks or a matrix between them, weighted by what the
listener did with the played track. Only a listener's strongest tracks are asked, all listeners of a block at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, Csr, Rows

N_STRONGEST = 20
N_BLOCK = 256  # listeners a block


@dataclass(frozen=True, eq=False)
class Kinship:
    """
    How far played track j of user u speaks for track i: history[u, j] * kin(i, j).

    Attributes:
        kin: Of track rows (n_users, n_asked) and (n_users, n_played): shape (n_users, n_asked, n_played), float32.
        history: Weight of each played track, > 0. CSR, shape (n_users, n_tracks).
    """

    kin: Callable[[Rows, Rows], F32]
    history: Csr

    @classmethod
    def of_vectors(cls, vectors: F32, history: Csr) -> Self:
        """Take the inner product of two tracks' vectors, shape (n_tracks, n_dimensions)."""
        # (B,A,D)*(B,D,P) -> (B,A,P)
        return cls(lambda asked, played: vectors[asked] @ vectors[played].swapaxes(1, 2), history)

    @classmethod
    def of_matrix(cls, matrix: Any, history: Csr) -> Self:
        """Take the entry of a dense or sparse matrix: row the played track, column the asked one."""

        def kin(asked: Rows, played: Rows) -> F32:
            rows, columns = np.broadcast_arrays(played[:, None, :], asked[:, :, None])
            return np.asarray(matrix[rows.ravel(), columns.ravel()], np.float32).reshape(rows.shape)

        return cls(kin, history)


def strongest_reason(kinship: Kinship, users: Rows, tracks: Rows) -> Rows:
    """
    Return, for each pair, the user's played track that speaks most for the recommended one.

    Args:
        kinship: Weights and vectors.
        users: Rows of `kinship.history`, shape (n_pairs,).
        tracks: Recommended track rows, shape (n_pairs,).

    Returns:
        Track rows, shape (n_pairs,), int64; -1 where no other track of the user speaks for it.
    """
    order = np.argsort(users, kind="stable")
    counts = np.bincount(users, minlength=kinship.history.shape[0])
    at = (users[order], places(counts))
    asked = np.full((len(counts), counts.max(initial=0)), -1)
    asked[at] = tracks[order]
    reasons = np.full(len(users), -1)
    reasons[order] = _block_reasons(kinship, asked)[at]
    return reasons


def contributions(kinship: Kinship, user: int, track: int) -> tuple[Rows, F32]:
    """
    Return how far each of one user's played tracks speaks for another track, strongest first.

    Args:
        kinship: Weights and vectors.
        user: Row of `kinship.history`.
        track: Row of the track asked about.

    Returns:
        Track rows and their shares of the score, shape (n_played,); the track itself is left out.
    """
    history = kinship.history[[user]]
    others = history.indices != track
    played = history.indices[others].astype(np.int64)
    said = kinship.kin(np.array([[track]]), played[None])[0, 0] * history.data[others]
    order = np.argsort(-said, kind="stable")
    return played[order], said[order]


def _block_reasons(kinship: Kinship, asked: Rows) -> Rows:
    """Return the reasons for a padded grid of tracks, shape (n_users, n_asked)."""
    played, weights = strongest(kinship.history)
    reasons = np.full(asked.shape, -1)
    for start in range(0, len(asked), N_BLOCK):
        block = slice(start, start + N_BLOCK)
        said = kinship.kin(asked[block], played[block]) * weights[block, None, :]
        said[asked[block][:, :, None] == played[block][:, None, :]] = 0  # no track is its own reason
        best = said.argmax(axis=2)
        found = np.take_along_axis(played[block], best, axis=1)
        reasons[block] = np.where(said.max(axis=2) > 0, found, -1)
    return reasons


def strongest(history: Csr) -> tuple[Rows, F32]:
    """Return each user's strongest tracks and weights, shape (n_users, N_STRONGEST); -1 and 0 pad a short history."""
    counts = np.diff(history.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((history.indices, -history.data, user))
    place = places(counts)
    kept = order[place < N_STRONGEST]
    at = (user[place < N_STRONGEST], place[place < N_STRONGEST])
    played = np.full((len(counts), N_STRONGEST), -1)
    weights = np.zeros(played.shape, np.float32)
    played[at], weights[at] = history.indices[kept], history.data[kept]
    return played, weights


def places(counts: Rows) -> Rows:
    """Return 0, 1, 2 ... within each group of this size, all groups in a row."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
