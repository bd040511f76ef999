"""Base of models that store the vector of each training user."""

from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.recommenders.scorer import Config, Scorer


class UserVectorScorer(Scorer[Config]):
    """The state of a user is a vector, shape (n_users, factors)."""

    _users: F32

    @override
    def states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self._users = self._users[rows]
