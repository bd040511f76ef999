"""
Attribution: the contribution of each track in a user's history to the score of another track.

A scorer provides item-item weights, from track vectors or from a track-track matrix, and the weight of each track in a
history. The reason of a recommendation is the track that contributes most. Reasons of lists, computed for many users at
once, and explanations, computed for one, agree: both take the whole history, and both order contributions that differ
by less than `RESOLUTION` of the largest by track row, so that neither the order of sums nor the block decides.

Used by `recommenders.base`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import unit_rows

RESOLUTION = 1e-5  # of contributions, as a share of the largest: smaller differences are rounding errors
N_CELLS = 2**16  # cells of the padded histories of a block of users


@dataclass(frozen=True, eq=False)
class Attribution:
    """
    Parts of scores: track j in the history of user u adds history[u, j] * weight(i, j) to the score of track i.

    Attributes:
        item_weight_function: Computes the item-item weights. Args: rows of the scored tracks, shape (n_users,
            n_scored), and of the tracks in the histories, shape (n_users, n_played). Returns shape (n_users, n_scored,
            n_played), float32.
        history: Weight, > 0, of each track in a history. CSR, shape (n_users, n_tracks).
    """

    item_weight_function: Callable[[Rows, Rows], F32]
    history: Csr

    @classmethod
    def of_vectors(cls, vectors: F32, history: Csr) -> Self:
        """Build from track vectors, shape (n_tracks, n_dimensions): item-item weights are their inner products."""
        # (B,S,D)*(B,D,P) -> (B,S,P)
        return cls(lambda scored, played: vectors[scored] @ vectors[played].swapaxes(1, 2), history)

    @classmethod
    def by_cosine(cls, vectors: F32, history: Csr) -> Self:
        """Build from track vectors, shape (n_tracks, n_dimensions): item-item weights are their cosines."""
        return cls.of_vectors(unit_rows(vectors), history)

    @classmethod
    def of_matrix(cls, matrix: Any, history: Csr) -> Self:
        """Build from a dense or sparse matrix of item-item weights: row = played track, column = scored track."""

        def item_weights(scored: Rows, played: Rows) -> F32:
            rows, columns = np.broadcast_arrays(played[:, None, :], scored[:, :, None])
            return np.asarray(matrix[rows.ravel(), columns.ravel()], np.float32).reshape(rows.shape)

        return cls(item_weights, history)


def strongest_reason(attribution: Attribution, users: Rows, tracks: Rows) -> Rows:
    """
    Find the track in the user's history that contributes most to each recommendation.

    Args:
        attribution: Attribution of these users' scores.
        users: Rows of `attribution.history`. Shape (n_pairs,).
        tracks: Recommended track rows. Shape (n_pairs,).

    Returns:
        Track rows, shape (n_pairs,), int64. -1 if no other track in the user's history has a contribution > 0.
    """
    order = np.argsort(users, kind="stable")
    counts = np.bincount(users, minlength=attribution.history.shape[0])
    cells = users[order], positions_within_groups(counts)  # cells of the pairs in a padded array with one row per user
    scored = np.full((len(counts), counts.max(initial=0)), -1)
    scored[cells] = tracks[order]
    reasons = np.full(len(users), -1)
    reasons[order] = _reasons(attribution, scored)[cells]
    return reasons


def contributions(attribution: Attribution, user: int, track: int) -> tuple[Rows, F32]:
    """
    Return the contribution of each track in one user's history to the score of one track.

    Args:
        attribution: Attribution of this user's scores.
        user: Row of `attribution.history`.
        track: Row of the scored track.

    Returns:
        Track rows and their contributions, largest first (see `RESOLUTION`), without the scored track. Shape
        (n_played,) each.
    """
    history = attribution.history[[user]].sorted_indices()
    others = history.indices != track
    played = history.indices[others].astype(np.int64)
    values = attribution.item_weight_function(np.array([[track]]), played[None])[0, 0] * history.data[others]
    order = np.argsort(-_rounded(values), kind="stable")
    return played[order], values[order]


def _rounded(values: F32) -> F32:
    """Return contributions as multiples of RESOLUTION of the largest of each last axis."""
    largest = np.abs(values).max(axis=-1, keepdims=True, initial=0)
    return np.asarray(np.rint(values / np.where(largest > 0, largest, 1) / RESOLUTION), np.float32)


def _reasons(attribution: Attribution, scored: Rows) -> Rows:
    """Return the strongest reason for each track of an array padded with -1. Shape (n_users, n_scored)."""
    history, reasons = attribution.history.sorted_indices(), np.full(scored.shape, -1)
    for users in blocks_of_histories(np.diff(history.indptr)):
        played, weights = padded(history[users])
        values = attribution.item_weight_function(scored[users], played) * weights[:, None, :]
        values[scored[users][:, :, None] == played[:, None, :]] = 0  # no track is its own reason
        values = _rounded(values)
        strongest = np.take_along_axis(played, values.argmax(axis=2), axis=1)
        reasons[users] = np.where(values.max(axis=2) > 0, strongest, -1)
    return reasons


def blocks_of_histories(counts: Rows) -> Iterator[Rows]:
    """
    Yield the rows of the users with a history, in blocks of similar length of at most N_CELLS padded cells.

    >>> [block.tolist() for block in blocks_of_histories(np.array([3, 0, N_CELLS, 2]))]
    [[3, 0], [2]]
    """
    users = np.argsort(counts, kind="stable")
    users = users[counts[users] > 0]
    start = 0
    while start < len(users):
        cells = counts[users[start:]] * np.arange(1, len(users) - start + 1)
        end = start + max(1, int(np.searchsorted(cells, N_CELLS, side="right")))
        yield users[start:end]
        start = end


def padded(history: Csr) -> tuple[Rows, F32]:
    """Return the tracks of each history, padded with -1, and their weights, padded with 0. Shape (n_users, longest)."""
    counts = np.diff(history.indptr)
    cells = np.repeat(np.arange(len(counts)), counts), positions_within_groups(counts)
    played = np.full((len(counts), counts.max(initial=0)), -1)
    weights = np.zeros(played.shape, np.float32)
    played[cells], weights[cells] = history.indices, history.data
    return played, weights


def positions_within_groups(counts: Rows) -> Rows:
    """
    Number the members of consecutive groups, from 0 in each group. `counts` are the sizes of the groups.

    >>> positions_within_groups(np.array([2, 0, 3]))
    array([0, 1, 0, 1, 2])
    """
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
