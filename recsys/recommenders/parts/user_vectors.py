"""Base of models that store the vectors of training users and of tracks, and score by their inner products."""

from abc import abstractmethod

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.recommenders.scorer import Config, Scorer


class UserVectorScorer(Scorer[Config]):
    """Score = inner product of user vector, shape (n_users, n_dimensions), and track vector."""

    _users: F32

    @override
    def states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self._users = self._users[rows]

    @override
    @abstractmethod
    def track_vectors(self) -> F32: ...

    @override
    def score(self, states: F32, out: F32) -> None:
        np.matmul(states, self.track_vectors().T, out=out)
