"""
User-based nearest neighbours (user kNN): score a track by the similarity of the neighbours who like it.

The similarity of two users is the cosine of their histories, weighted by confidence and inverse document frequency.

Source: Herlocker, Konstan, Borchers, Riedl, An Algorithmic Framework for Performing Collaborative Filtering (SIGIR
1999), here for implicit feedback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import unit_rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.sparse import with_data
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.search_space import tunable_range, tunable_recency
from recsys.recommenders.parts.sparse import arrays_of, largest_per_row, matrix_of
from recsys.recommenders.scorer import Scorer, Validation
from recsys.settings import Count, Exponent, Recency, Settings

N_BLOCK = 512  # users per block of the neighbour search
FEW = 0.5  # below this share of the training users, only the neighbours of those that are asked for are searched


@dataclass(frozen=True)
class UserKNNConfig(Settings):
    """
    Settings of `UserKNN`.

    Attributes:
        neighbours: Maximum number of neighbours per user; a training user is one of their own neighbours.
        strength_exponent: Interaction strengths are raised to this power before similarity is computed. 0: strengths
            are ignored; 1: they are used unchanged.
        recency: Decay by age before similarity is computed: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
        focus: The weight of a neighbour is similarity**focus. Larger values favour the nearest neighbours.
    """

    neighbours: Count = tunable_range(100, 20, 500, log=True)
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 1.0, needs="strengths")
    recency: Recency = tunable_recency(0.25)
    rank_recency: Recency = tunable_recency(0.0)
    focus: Exponent = tunable_range(1.0, 0.5, 3.0)


class UserKNN(Scorer[UserKNNConfig]):
    """Score = sum of similarity**focus over the neighbours who like the track."""

    name: ClassVar[str] = "user_knn"
    config_class: ClassVar[type[Any]] = UserKNNConfig
    _users: Csr | None

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        n_users = np.maximum(np.bincount(interactions.matrix.indices, minlength=len(interactions.tracks)), 1)
        self._idf: F32 = np.log1p(len(interactions.users) / n_users).astype(np.float32)  # (n_tracks,)
        self._liked = (interactions.matrix > 0).astype(np.float32)  # (n_users, n_tracks)
        self._rows = self._compared(interactions.liked)
        self._users = None
        return self

    def _neighbours(self) -> Csr:
        """Return the neighbours of all training users, shape (n_users, n_users); found when they are first needed."""
        if self._users is None:
            self._users = self._nearest(self._rows)
        return self._users

    def _compared(self, history: History) -> Csr:
        """Return user vectors of norm 1, whose inner product is the similarity. CSR, shape (n_users, n_tracks)."""
        config = self.config
        weights = confidence(
            history, exponent=config.strength_exponent, recency=config.recency, rank_recency=config.rank_recency
        )
        return unit_rows((weights @ sp.diags(self._idf)).tocsr()).astype(np.float32)

    @override
    def fold_in(self, history: History) -> Csr:
        return self._nearest(self._compared(history))

    def _nearest(self, rows: Csr) -> Csr:
        """Return the weights of the nearest training users of each user vector. CSR, shape (n_rows, n_users)."""
        others, starts = self._rows.T.tocsr(), range(0, max(1, rows.shape[0]), N_BLOCK)
        nearest = [largest_per_row(rows[start : start + N_BLOCK] @ others, self.config.neighbours) for start in starts]
        similarity = sp.vstack(nearest, format="csr")
        return with_data(similarity, similarity.data**self.config.focus)

    @override
    def states(self, rows: Rows) -> Csr:
        if self._users is None and len(rows) < self._rows.shape[0] * FEW:
            return self._nearest(self._rows[rows])
        return self._neighbours()[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self._users = self._neighbours()[rows][:, rows]
        self._rows, self._liked = self._rows[rows], self._liked[rows]

    @override
    def score(self, states: Csr, out: F32) -> None:
        (states @ self._liked).toarray(out=out)

    @override
    def attribution(self, history: History) -> Attribution:
        """Attribute by the cosine of two tracks over users, times the weight of the track in the history."""
        by_track = unit_rows(self._liked.T.tocsr())
        return Attribution.of_matrix((by_track @ by_track.T).tocsr(), self._compared(history))

    @override
    def arrays(self) -> dict[str, Any]:
        matrices = {"users": self._neighbours(), "rows": self._rows, "liked": self._liked}
        parts = [arrays_of(name, matrix) for name, matrix in matrices.items()]
        return {"idf": self._idf} | {name: array for part in parts for name, array in part.items()}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._idf = arrays["idf"]
        self._users, self._rows, self._liked = (matrix_of(name, arrays) for name in ("users", "rows", "liked"))
