"""Base of item-based nearest neighbours: scores from a history and the similarities of its tracks to all tracks."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Config, Scorer


class ItemSimilarityScorer(Scorer[Config]):
    """Score = sum, over the tracks in the user's history, of confidence weight times similarity."""

    config: Any  # settings that include `strength_exponent` and `recency`

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
    def fold_in(self, history: History) -> Csr:
        return confidence(history, exponent=self.config.strength_exponent, recency=self.config.recency)

    @override
    def states(self, rows: Rows) -> Csr:
        return self._users[rows]

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
