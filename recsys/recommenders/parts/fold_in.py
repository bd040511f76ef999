"""
Fold-in: a user vector by ridge regression from the mean vector of the tracks that the user plays.

For models whose user vectors come from stochastic gradient steps, which cannot be repeated for one new user. The map is
fitted on the training users and applied to them too: that ranks better than their own learned vectors, and training and
folded-in users agree.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.scorer import Config, Scorer

RIDGE = 0.01


class FoldedVectors(Scorer[Config]):
    """Score of a track: inner product of the user's and the track's vectors, plus the track's bias."""

    def set_vectors(self, tracks: F32, users: F32, history: History) -> None:
        """
        Keep the track vectors, and fit the map from histories to user vectors.

        Args:
            tracks: Vectors, the bias last. Shape (n_tracks, factors + 1).
            users: Vectors of the training users, shape (n_users, factors).
            history: What the training users like.
        """
        self._tracks = tracks
        self._map = ridge(self._means(history), users)
        self._users = self.fold_in(history)  # (n_users, factors + 1)

    @abstractmethod
    def user_weights(self, history: History) -> Csr:
        """Return the weight of each like in the user's mean vector, > 0. CSR, in the pattern of `history.matrix`."""

    def _means(self, history: History) -> F32:
        return means(self.user_weights(history), self._tracks[:, :-1])

    @override
    def fold_in(self, history: History) -> F32:
        return with_one(self._means(history) @ self._map)

    @override
    def states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def attribution(self, history: History) -> Attribution:
        """Cosine of the tracks' vectors."""
        vectors = self._tracks[:, :-1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Attribution.of_vectors(vectors / np.maximum(lengths, 1e-12), self.user_weights(history))

    @override
    def arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks, "map": self._map}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks, self._map = arrays["users"], arrays["tracks"], arrays["map"]


def means(weights: Csr, vectors: F32) -> F32:
    """
    Return the weighted mean vector of the tracks that each user plays, and a 1.

    Args:
        weights: Weights > 0, at least one per user. CSR, shape (n_users, n_tracks).
        vectors: Shape (n_tracks, factors).

    Returns:
        Shape (n_users, factors + 1), float32.
    """
    sums = np.asarray(weights.sum(axis=1), np.float32).reshape(-1, 1)
    return with_one((weights @ vectors) / sums)


def ridge(inputs: F32, targets: F32) -> F32:
    """Return the ridge regression of `targets` on `inputs`, shape (n_inputs, n_targets)."""
    x = inputs.astype(np.float64)
    gram = x.T @ x + RIDGE * np.eye(x.shape[1])
    solved: F32 = np.linalg.solve(gram, x.T @ targets).astype(np.float32)
    return solved


def with_one(vectors: F32) -> F32:
    """Append a column of ones, which multiplies the other side's bias."""
    return np.column_stack([vectors, np.ones(len(vectors), np.float32)])
