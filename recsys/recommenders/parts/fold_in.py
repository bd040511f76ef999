"""
A listener read from their history: by a ridge map, fitted on training listeners, from the mean of the tracks they play.

For models whose own way to a listener's vector is many small steps, which no folded-in listener could be taken through.
Known listeners are read so too: it ranks better than what was learned of each alone, and makes known and folded-in
listeners agree.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History
from recsys.recommenders.base import Config, Recommender
from recsys.recommenders.parts.attribution import Kinship

RIDGE = 0.01


class FoldedVectors(Recommender[Config]):
    """Score of a track: inner product of the listener's and the track's vectors, plus the track's bias."""

    def _settle(self, tracks: F32, users: F32, history: History) -> None:
        """
        Take what was learned.

        Args:
            tracks: Vectors, and the bias behind them. Shape (n_tracks, factors + 1).
            users: Vectors of the training listeners, shape (n_users, factors).
            history: Theirs.
        """
        self._tracks = tracks
        self._map = ridge(self._means(history), users)
        self._users = self._folded(history)  # (n_users, factors + 1)

    @abstractmethod
    def _weights(self, history: History) -> Csr:
        """What each played track weighs in a listener's mean, > 0; the pattern is that of the history."""

    def _means(self, history: History) -> F32:
        return means(self._weights(history), self._tracks[:, :-1])

    @override
    def _folded(self, history: History) -> F32:
        return with_one(self._means(history) @ self._map)

    @override
    def _states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def _score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """Cosine of the tracks' vectors."""
        vectors = self._tracks[:, :-1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Kinship.of_vectors(vectors / np.maximum(lengths, 1e-12), self._weights(history))

    @override
    def _arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks, "map": self._map}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks, self._map = arrays["users"], arrays["tracks"], arrays["map"]


def means(weights: Csr, vectors: F32) -> F32:
    """
    Return the weighted mean vector of the tracks that each listener plays, and a 1.

    Args:
        weights: Weights > 0, each listener with one at least. CSR, shape (n_users, n_tracks).
        vectors: Shape (n_tracks, factors).

    Returns:
        Shape (n_users, factors + 1), float32.
    """
    sums = np.asarray(weights.sum(axis=1), np.float32).reshape(-1, 1)
    return with_one((weights @ vectors) / sums)


def ridge(inputs: F32, targets: F32) -> F32:
    """Return the map that takes `inputs` nearest to `targets`, shape (n_inputs, n_targets)."""
    x = inputs.astype(np.float64)
    gram = x.T @ x + RIDGE * np.eye(x.shape[1])
    solved: F32 = np.linalg.solve(gram, x.T @ targets).astype(np.float32)
    return solved


def with_one(vectors: F32) -> F32:
    """Append a column of ones, against which the other side's bias counts."""
    return np.column_stack([vectors, np.ones(len(vectors), np.float32)])
