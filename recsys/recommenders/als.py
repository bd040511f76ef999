"""
Matrix factorisation of implicit feedback by alternating least squares.

A listener's factors are always one exact half-step from their history, also after training: so a known listener, the
same listener folded in, and a stranger with the same plays get the same answer.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits
from typing_extensions import override

from recsys.interactions import Csr, History, Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.reasons import Kinship
from recsys.recommenders.topk import F32
from recsys.vocab import Rows


@dataclass(frozen=True)
class ALSConfig:
    """
    Settings of `ALS`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes over both sides.
        regularization: Pull of the factors towards zero, >= 0.
        alpha: Confidence that a strength adds: 1 + alpha * log(1 + strength).
        seed: Where the factors start.
    """

    factors: int = 128
    epochs: int = 15
    regularization: float = 1.0
    alpha: float = 10.0
    seed: int = 7


class ALS(Recommender[ALSConfig]):
    """Score of a track: inner product of the listener's and the track's factors."""

    name: ClassVar[str] = "als"
    config_class: ClassVar[type[Any]] = ALSConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        with threadpool_limits(1, user_api="blas"):  # its own threads do the work: BLAS threads would halve the speed
            solver = self._solver()
            solver.fit(self._confidence(taste.matrix), show_progress=False)
        self._tracks: F32 = solver.item_factors  # (n_tracks, factors)
        self._users = self._folded(taste.liked)  # (n_users, factors)

    def _solver(self) -> AlternatingLeastSquares:
        config = self.config
        return AlternatingLeastSquares(
            config.factors, config.regularization, iterations=config.epochs, random_state=config.seed
        )

    def _confidence(self, strengths: Csr) -> Csr:
        confidence = strengths.astype(np.float32)
        confidence.data = 1 + self.config.alpha * np.log1p(confidence.data)
        return confidence

    @override
    def _folded(self, history: History) -> F32:
        with threadpool_limits(1, user_api="blas"):
            solver = self._solver()
            solver.item_factors = self._tracks
            factors: F32 = solver.recalculate_user(np.arange(len(history)), self._confidence(history.matrix))
        return factors

    @override
    def _states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def _score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """
        Split a score into the played tracks' shares (section 5 of the source).

        One inverse serves all listeners: (Y'Y + reg I)^-1 stands for each listener's own.
        """
        tracks = self._tracks.astype(np.float64)
        gram = tracks.T @ tracks + self.config.regularization * np.eye(self.config.factors)
        half = np.linalg.cholesky(np.linalg.inv(gram))  # half half' = gram^-1
        return Kinship.of_vectors((tracks @ half).astype(np.float32), self._confidence(history.matrix))

    @override
    def _arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks = arrays["users"], arrays["tracks"]
