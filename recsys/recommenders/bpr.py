"""
Matrix factorisation trained to rank: a track that a listener plays above one drawn from all that they do not.

A listener is read from their history by a ridge map (see `recommenders.folding`), known listeners too, which ranks
better than what was learned of each alone, and makes known and folded-in listeners agree.

Source: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, BPR: Bayesian Personalized Ranking from Implicit Feedback
(UAI 2009).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from typing_extensions import override

from recsys.interactions import History, Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.folding import means, ridge, with_one
from recsys.recommenders.reasons import Kinship
from recsys.recommenders.topk import F32
from recsys.recommenders.weights import weighed
from recsys.vocab import Rows


@dataclass(frozen=True)
class BPRConfig:
    """
    Settings of `BPR`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes over the pairs, always on one thread: more would make every run another.
        learning_rate: Step of the gradient descent.
        regularization: Pull of the factors towards zero, >= 0.
        recency: How fast a track liked long ago loses weight in a listener's taste: (1 + age / 30 days)^-recency.
        seed: Of the start and of all draws.
    """

    factors: int = 128
    epochs: int = 50
    learning_rate: float = 0.05
    regularization: float = 0.01
    recency: float = 1.0
    seed: int = 7


class BPR(Recommender[BPRConfig]):
    """Score of a track: inner product of the listener's and the track's vectors, plus the track's bias."""

    name: ClassVar[str] = "bpr"
    config_class: ClassVar[type[Any]] = BPRConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        config = self.config
        learner = BayesianPersonalizedRanking(
            config.factors,
            config.learning_rate,
            config.regularization,
            iterations=config.epochs,
            num_threads=1,
            random_state=config.seed,
        )
        learner.fit((taste.matrix > 0).astype(np.float32), show_progress=False)
        self._tracks: F32 = learner.item_factors  # (n_tracks, factors + 1), the bias last
        self._map = ridge(self._means(taste.liked), learner.user_factors[:, :-1])
        self._users = self._folded(taste.liked)  # (n_users, factors + 1)

    def _means(self, history: History) -> F32:
        """Mean vector of the tracks that each listener plays, recent ones above all; shape (n_users, factors + 1)."""
        weights = weighed(history, exponent=0, recency=self.config.recency)
        return means(weights, self._tracks[:, :-1])

    @override
    def _folded(self, history: History) -> F32:
        return with_one(self._means(history) @ self._map)

    @override
    def _states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def _score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """Cosine of the tracks' vectors, whatever the strength."""
        vectors = self._tracks[:, :-1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        weights = weighed(history, exponent=0, recency=self.config.recency)
        return Kinship.of_vectors(vectors / np.maximum(lengths, 1e-12), weights)

    @override
    def _arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks, "map": self._map}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks, self._map = arrays["users"], arrays["tracks"], arrays["map"]
