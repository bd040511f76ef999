"""
ALS of the library implicit: matrix factorisation of confidence-weighted interactions by alternating least squares.

Unlike `als`, it uses no track features, no decay by age in training and one regularization for all rows.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (2008).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from typing_extensions import override

from recsys.arrays import F32
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.parts.user_vectors import UserVectorScorer
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Exponent, Positive, Seed, Settings


@dataclass(frozen=True)
class ImplicitALSConfig(Settings):
    """
    Settings of `ImplicitALS`.

    Attributes:
        factors: Number of factors of a user and of a track.
        epochs: Number of alternations.
        regularization: L2 regularization of the factors of a user or track, > 0.
        alpha: Factor of the confidence weights of observed pairs; an unobserved pair has weight 1.
        strength_exponent: The confidence weight of an interaction is alpha * strength**strength_exponent.
        recency: Decay by age in the user factors: weight (1 + age / 30 days)**-recency. 0: no decay.
        seed: Seed of the initial factors.
    """

    factors: Count = 128
    epochs: Count = 15
    regularization: Positive = tunable_range(1.0, 0.01, 100.0, log=True)
    alpha: Positive = tunable_range(4.0, 0.25, 64.0, log=True)
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 0.7)
    recency: Exponent = tunable_range(0.5, 0.0, 2.0)
    seed: Seed = 7


class ImplicitALS(UserVectorScorer[ImplicitALSConfig]):
    """Score = inner product of user factors and track factors."""

    name: ClassVar[str] = "implicit_als"
    config_class: ClassVar[type[Any]] = ImplicitALSConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        model = self._model()
        weights = confidence(interactions.liked, exponent=self.config.strength_exponent)
        model.fit((weights * self.config.alpha).astype(np.float32), show_progress=False)
        self._tracks: F32 = model.item_factors
        self._users = self.fold_in(interactions.liked)
        return self

    def _model(self) -> AlternatingLeastSquares:
        config = self.config
        return AlternatingLeastSquares(
            config.factors, config.regularization, iterations=config.epochs, random_state=config.seed
        )

    @override
    def fold_in(self, history: History) -> F32:
        model = self._model()
        model.item_factors = self._tracks
        config = self.config
        weights = confidence(history, exponent=config.strength_exponent, recency=config.recency) * config.alpha
        users: F32 = model.recalculate_user(np.arange(len(history)), weights.astype(np.float32))
        return users.reshape(len(history), self._tracks.shape[1])

    @override
    def track_vectors(self) -> F32:
        return self._tracks

    @override
    def attribution(self, history: History) -> Attribution:
        """Attribute by the cosine of two tracks' factors, times the confidence weight of the track in the history."""
        weights = confidence(history, exponent=self.config.strength_exponent, recency=self.config.recency)
        return Attribution.by_cosine(self._tracks, weights)

    @override
    def arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks = arrays["users"], arrays["tracks"]
