"""
Fold-in for models trained by stochastic gradient descent: user vectors predicted from histories by ridge regression.

Training cannot be repeated for every new user. So a linear map from the mean track vector of a history to the user
vector is fitted on the training users. It is used for training users too: it ranks better than their learned vectors,
and it gives the same scores to a training user and to a folded-in user with the same history.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Csr
from recsys.dataset.interactions import History
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.user_vectors import UserVectorScorer
from recsys.recommenders.scorer import Config

RIDGE = 0.01  # L2 regularization of the map


class FoldInScorer(UserVectorScorer[Config]):
    """Base class of factor models: score = inner product of user vector and track vector, plus the track's bias."""

    def set_vectors(self, tracks: F32, users: F32, history: History) -> None:
        """
        Store the learned track vectors and fit the map from histories to user vectors. Called at the end of `fit`.

        Args:
            tracks: Track vectors, the bias in the last column. Shape (n_tracks, factors + 1).
            users: Learned vectors of the training users. Shape (n_users, factors).
            history: Histories of the training users.
        """
        self._tracks = tracks
        self._map = ridge(self._means(history), users)
        self._users = self.fold_in(history)  # (n_users, factors + 1)

    @abstractmethod
    def user_weights(self, history: History) -> Csr:
        """Return the weight, > 0, of each track in a user's mean vector. CSR, the pattern of `history.matrix`."""

    def _means(self, history: History) -> F32:
        return mean_vectors(self.user_weights(history), self._tracks[:, :-1])

    @override
    def fold_in(self, history: History) -> F32:
        return append_ones(self._means(history) @ self._map)

    @override
    def track_vectors(self) -> F32:
        return self._tracks

    @override
    def attribution(self, history: History) -> Attribution:
        """Attribute by the cosine of two track vectors, times the weight of the track in the history."""
        return Attribution.by_cosine(self._tracks[:, :-1], self.user_weights(history))

    @override
    def arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks, "map": self._map}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks, self._map = arrays["users"], arrays["tracks"], arrays["map"]


def mean_vectors(weights: Csr, vectors: F32) -> F32:
    """
    Return the weighted mean of the track vectors in each user's history, with a column of ones appended.

    Args:
        weights: Weights > 0, at least one per user. CSR, shape (n_users, n_tracks).
        vectors: Track vectors. Shape (n_tracks, factors).

    Returns:
        Shape (n_users, factors + 1), float32.
    """
    sums = np.asarray(weights.sum(axis=1), np.float32).reshape(-1, 1)
    return append_ones((weights @ vectors) / sums)


def ridge(inputs: F32, targets: F32) -> F32:
    """Return the coefficients of the ridge regression of `targets` on `inputs`. Shape (n_inputs, n_targets)."""
    x = inputs.astype(np.float64)
    gram = x.T @ x + RIDGE * np.eye(x.shape[1])
    coefficients: F32 = np.linalg.solve(gram, x.T @ targets).astype(np.float32)
    return coefficients


def append_ones(vectors: F32) -> F32:
    """Append a column of ones, which multiplies the bias column of the track vectors or the intercept of the map."""
    return np.column_stack([vectors, np.ones(len(vectors), np.float32)])
