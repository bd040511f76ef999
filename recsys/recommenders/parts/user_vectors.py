"""Base of models that store the vector of each training user."""

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.recommenders.scorer import Config, Scorer


class UserVectorScorer(Scorer[Config]):
    """The state of a user is a vector, shape (n_users, factors); score = its inner product with the track's vector."""

    _users: F32
    _tracks: F32  # (n_tracks, factors)

    @override
    def states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self._users = self._users[rows]

    @override
    def score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)
