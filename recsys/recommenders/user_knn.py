"""
Listeners like you: a track's score is how alike those neighbours are who like it.

Source: Herlocker, Konstan, Borchers, Riedl, An Algorithmic Framework for Performing Collaborative Filtering (SIGIR
1999), here for likes alone: listeners are compared as texts are, by rarity-weighted cosine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import unit_rows
from recsys.dataset.interactions import History, Interactions, with_data
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.confidence import weighed
from recsys.recommenders.parts.search_space import searched
from recsys.recommenders.parts.sparse import arrays_of, matrix_of, strongest_of_rows

N_BLOCK = 512  # listeners compared at a time


@dataclass(frozen=True)
class UserKNNConfig:
    """
    Settings of `UserKNN`.

    Attributes:
        neighbours: So many of the most alike listeners speak.
        strength_exponent: What strengths count when listeners are compared: 0 nothing, 1 as they are.
        recency: How fast tracks liked long ago lose weight in the comparison (see `weights.weighed`).
        focus: A neighbour speaks by likeness**focus: the larger, the more the nearest decide.
    """

    neighbours: int = searched(150, 20, 500, log=True)
    strength_exponent: float = searched(0.25, 0.0, 1.0)
    recency: float = searched(0.25, 0.0, 1.0)
    focus: float = searched(1.0, 0.5, 3.0)


class UserKNN(Recommender[UserKNNConfig]):
    """Score of a track: sum of the likeness of the neighbours who like it."""

    name: ClassVar[str] = "user_knn"
    config_class: ClassVar[type[Any]] = UserKNNConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        n_listeners = np.maximum(np.bincount(taste.matrix.indices, minlength=len(taste.tracks)), 1)
        self._rarity: F32 = np.log1p(len(taste.users) / n_listeners).astype(np.float32)  # (n_tracks,)
        self._liked = (taste.matrix > 0).astype(np.float32)  # (n_users, n_tracks)
        self._rows = self._compared(taste.liked)
        self._users = self._folded(taste.liked)  # (n_users, n_users)

    def _compared(self, history: History) -> Csr:
        """Return listeners as vectors of length 1, shape (n_listeners, n_tracks)."""
        weights = weighed(history, exponent=self.config.strength_exponent, recency=self.config.recency)
        return unit_rows((weights @ sp.diags(self._rarity)).tocsr()).astype(np.float32)

    @override
    def _folded(self, history: History) -> Csr:
        rows, others = self._compared(history), self._rows.T.tocsr()
        starts = range(0, len(history), N_BLOCK)
        nearest = [
            strongest_of_rows(rows[start : start + N_BLOCK] @ others, self.config.neighbours) for start in starts
        ]
        alike = sp.vstack(nearest, format="csr")
        return with_data(alike, alike.data**self.config.focus)

    @override
    def _states(self, rows: Rows) -> Csr:
        return self._users[rows]

    @override
    def _score(self, states: Csr, out: F32) -> None:
        (states @ self._liked).toarray(out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """Cosine of the listeners of two tracks."""
        by_track = unit_rows(self._liked.T.tocsr())
        return Kinship.of_matrix((by_track @ by_track.T).tocsr(), self._compared(history))

    @override
    def _arrays(self) -> dict[str, Any]:
        matrices = {"users": self._users, "rows": self._rows, "liked": self._liked}
        parts = [arrays_of(name, matrix) for name, matrix in matrices.items()]
        return {"rarity": self._rarity} | {name: array for part in parts for name, array in part.items()}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._rarity = arrays["rarity"]
        self._users, self._rows, self._liked = (matrix_of(name, arrays) for name in ("users", "rows", "liked"))
