"""Bases of item-based models: scores from the tracks of a history and their similarities to all tracks."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Config, Scorer


class ConfidenceScorer(Scorer[Config]):
    """The state of a user is the row of confidence weights of their history. CSR, shape (n_users, n_tracks)."""

    config: Any  # settings that include `strength_exponent`, `recency` and `rank_recency`
    _users: Csr

    @override
    def fold_in(self, history: History) -> Csr:
        config = self.config
        return confidence(
            history, exponent=config.strength_exponent, recency=config.recency, rank_recency=config.rank_recency
        )

    @override
    def states(self, rows: Rows) -> Csr:
        return self._users[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self._users = self._users[rows]


class ItemSimilarityScorer(ConfidenceScorer[Config]):
    """Score = sum, over the tracks in the user's history, of confidence weight times similarity."""

    def set_similarity(self, similarity: Csr, history: History) -> None:
        """
        Store the learned similarities. Called at the end of `fit`.

        Args:
            similarity: Row: played track; column: scored track. CSR, shape (n_tracks, n_tracks), float32.
            history: Histories of the training users.
        """
        self._similarity = similarity
        self._users = self.fold_in(history)

    @override
    def score(self, states: Csr, out: F32) -> None:
        (states @ self._similarity).toarray(out=out)

    @override
    def attribution(self, history: History) -> Attribution:
        return Attribution.of_matrix(self._similarity, self.fold_in(history))

    @override
    def arrays(self) -> dict[str, Any]:
        return arrays_of("users", self._users) | arrays_of("similarity", self._similarity)

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._similarity = matrix_of("users", arrays), matrix_of("similarity", arrays)
