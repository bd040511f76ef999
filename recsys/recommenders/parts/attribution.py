"""
Attribution: how far each track in a user's history contributes to the score of another track.

A scorer gives item-item weights, by vectors of tracks or a matrix between them, and the weight of each played track.
Reasons consider only a user's `N_STRONGEST` tracks of the greatest weight, for all users of a block at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, Csr, Rows

N_STRONGEST = 20
N_BLOCK = 256  # users per block


@dataclass(frozen=True, eq=False)
class Attribution:
    """
    Contribution of played track j of user u to the score of track i: history[u, j] * item_weights(i, j).

    Attributes:
        item_weights: From scored track rows, shape (n_users, n_scored), and played ones, shape (n_users, n_played), to
            weights, shape (n_users, n_scored, n_played), float32.
        history: Weight of each played track, > 0. CSR, shape (n_users, n_tracks).
    """

    item_weights: Callable[[Rows, Rows], F32]
    history: Csr

    @classmethod
    def of_vectors(cls, vectors: F32, history: Csr) -> Self:
        """Weigh a pair by the inner product of the tracks' vectors, shape (n_tracks, n_dimensions)."""
        # (B,S,D)*(B,D,P) -> (B,S,P)
        return cls(lambda scored, played: vectors[scored] @ vectors[played].swapaxes(1, 2), history)

    @classmethod
    def of_matrix(cls, matrix: Any, history: Csr) -> Self:
        """Weigh a pair by the entry of a dense or sparse matrix: row the played track, column the scored one."""

        def item_weights(scored: Rows, played: Rows) -> F32:
            rows, columns = np.broadcast_arrays(played[:, None, :], scored[:, :, None])
            return np.asarray(matrix[rows.ravel(), columns.ravel()], np.float32).reshape(rows.shape)

        return cls(item_weights, history)


def strongest_reason(attribution: Attribution, users: Rows, tracks: Rows) -> Rows:
    """
    Return, for each pair, the user's played track that contributes most to the recommended one.

    Args:
        attribution: Of these users.
        users: Rows of `attribution.history`, shape (n_pairs,).
        tracks: Recommended track rows, shape (n_pairs,).

    Returns:
        Track rows, shape (n_pairs,), int64; -1 where no other track of the user contributes.
    """
    order = np.argsort(users, kind="stable")
    counts = np.bincount(users, minlength=attribution.history.shape[0])
    at = (users[order], places(counts))
    scored = np.full((len(counts), counts.max(initial=0)), -1)
    scored[at] = tracks[order]
    reasons = np.full(len(users), -1)
    reasons[order] = _reasons(attribution, scored)[at]
    return reasons


def contributions(attribution: Attribution, user: int, track: int) -> tuple[Rows, F32]:
    """
    Return how far each of one user's played tracks contributes to another track, largest first.

    Args:
        attribution: Of this user and others.
        user: Row of `attribution.history`.
        track: Row of the scored track.

    Returns:
        Track rows and their contributions, each of shape (n_played,); the track itself is left out.
    """
    history = attribution.history[[user]]
    others = history.indices != track
    played = history.indices[others].astype(np.int64)
    values = attribution.item_weights(np.array([[track]]), played[None])[0, 0] * history.data[others]
    order = np.argsort(-values, kind="stable")
    return played[order], values[order]


def _reasons(attribution: Attribution, scored: Rows) -> Rows:
    """Return the reason for each track of a padded grid, shape (n_users, n_scored)."""
    played, weights = strongest(attribution.history)
    reasons = np.full(scored.shape, -1)
    for start in range(0, len(scored), N_BLOCK):
        block = slice(start, start + N_BLOCK)
        values = attribution.item_weights(scored[block], played[block]) * weights[block, None, :]
        values[scored[block][:, :, None] == played[block][:, None, :]] = 0  # no track is its own reason
        best = values.argmax(axis=2)
        found = np.take_along_axis(played[block], best, axis=1)
        reasons[block] = np.where(values.max(axis=2) > 0, found, -1)
    return reasons


def strongest(history: Csr) -> tuple[Rows, F32]:
    """Return each user's strongest tracks and weights, shape (n_users, N_STRONGEST); padded with -1 and 0."""
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
    """Return 0, 1, 2 ... within each of the consecutive groups of these sizes."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
