"""
Matrix factorisation of implicit feedback by alternating least squares, regularised by the number of interactions.

After training, user factors come from one exact half-step on the user's history. So a training user, the same user
folded in, and a new user with the same plays get the same scores. Recency weights apply in this half-step only: track
factors are learned from all plays alike, which ranks better.

Sources: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008); Rendle, Krichene,
Zhang, Koren, Revisiting the Performance of iALS on Item Recommendation Benchmarks (RecSys 2022), whose names these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import tfidf_features
from recsys.dataset.features import Features
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence, mean_normalised
from recsys.recommenders.parts.least_squares import half_step
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.scorer import Scorer, Validation

START = 0.1  # expected length of a track's factors before the first half-step


@dataclass(frozen=True)
class ALSConfig:
    """
    Settings of `ALS`.

    Attributes:
        factors: Length of a user's and a track's vector.
        epochs: Passes over both sides.
        regularization: L2 regularisation of a row's factors, > 0; see `frequency_exponent`.
        frequency_exponent: A row is regularised by regularization * (its pairs + unobserved_weight * all pairs it could
            have)**frequency_exponent: 0 treats all rows alike, 1 all pairs.
        unobserved_weight: Weight of a pair without a like, where the mean like of a user weighs 1.
        side_weight: Weight of track features beside likes, >= 0: each feature that several tracks share is one more
            row, as if it were a user who likes them. 0: no features.
        strength_exponent: A like weighs strength**strength_exponent, relative to the user's mean; 0: all the same.
        recency: Decay of a like by its age in a user's vector: it weighs (1 + age / 30 days)^-recency.
        seed: Of the initial factors.
    """

    factors: int = 256
    epochs: int = 8
    regularization: float = tunable_range(0.25, 0.03, 3.0, log=True)
    frequency_exponent: float = tunable_range(0.5, 0.0, 1.0)
    unobserved_weight: float = tunable_range(0.05, 0.01, 0.5, log=True)
    side_weight: float = tunable_range(3.0, 0.3, 10.0, log=True)
    strength_exponent: float = tunable_range(0.25, 0.0, 0.7)
    recency: float = tunable_range(1.0, 0.0, 2.0)
    seed: int = 7


class ALS(Scorer[ALSConfig]):
    """
    Score of a track: inner product of the user's and the track's factors.

    Attributes:
        user_factors: Of the training users, shape (n_users, factors), float32.
        track_factors: Shape (n_tracks, factors), float32.
    """

    name: ClassVar[str] = "als"
    config_class: ClassVar[type[Any]] = ALSConfig
    user_factors: F32
    track_factors: F32

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        weights = self._with_features(self._confidence(interactions.liked, recency=0), interactions.track_features)
        by_track = weights.T.tocsr()
        self.track_factors = self._start(len(interactions.tracks))
        for _ in range(self.config.epochs):
            self.track_factors = self._step(by_track, self._step(weights, self.track_factors))
        self.user_factors = self.fold_in(interactions.liked)
        return self

    def _with_features(self, weights: Csr, features: Features) -> Csr:
        """Append the features that several tracks share as further rows, shape (n_users + n_features, n_tracks)."""
        if self.config.side_weight == 0:
            return weights
        tags = tfidf_features(features).T.tocsr()
        tags.eliminate_zeros()
        shared = tags[np.flatnonzero(np.diff(tags.indptr) > 1)]
        return sp.vstack([weights, shared * np.float32(self.config.side_weight)], format="csr")

    def _start(self, n_rows: int) -> F32:
        rng = np.random.default_rng(self.config.seed)
        drawn = rng.standard_normal((n_rows, self.config.factors), np.float32)
        return drawn * np.float32(START / np.sqrt(self.config.factors))

    def user_weights(self, history: History) -> Csr:
        """Return the confidence of each like in the user factors, mean 1 per user. CSR, as `history.matrix`."""
        return self._confidence(history, recency=self.config.recency)

    def _confidence(self, history: History, *, recency: float) -> Csr:
        """Normalise to mean 1 per user, so that neither heavy nor old listening changes the length of the factors."""
        return mean_normalised(confidence(history, exponent=self.config.strength_exponent, recency=recency))

    def _step(self, weights: Csr, fixed: F32) -> F32:
        """Solve all rows of `weights` for the other side's `fixed` factors."""
        penalties = self._penalties(np.diff(weights.indptr), weights.shape[1])
        return half_step(weights, fixed, unobserved=self.config.unobserved_weight, penalties=penalties)

    def _penalties(self, counts: Rows, n_others: int) -> npt.NDArray[np.float64]:
        """Return the regularisation of rows with `counts` pairs out of `n_others`: section 3.3 of the second source."""
        config = self.config
        frequency = counts + config.unobserved_weight * n_others
        return np.asarray(config.regularization * frequency**config.frequency_exponent, np.float64)

    @override
    def fold_in(self, history: History) -> F32:
        return self._step(self.user_weights(history), self.track_factors)

    @override
    def states(self, rows: Rows) -> F32:
        return self.user_factors[rows]

    @override
    def score(self, states: F32, out: F32) -> None:
        np.matmul(states, self.track_factors.T, out=out)

    @override
    def attribution(self, history: History) -> Attribution:
        """
        Split a score into the played tracks' shares (section 5 of the first source).

        An approximation: the inverse for a user without plays stands for each user's own, so that one serves all.
        """
        tracks = self.track_factors.astype(np.float64)
        penalty = self._penalties(np.zeros(1, np.int64), len(tracks))
        shared = self.config.unobserved_weight * (tracks.T @ tracks) + penalty * np.eye(self.config.factors)
        half = np.linalg.cholesky(np.linalg.inv(shared))  # half half' = shared^-1
        return Attribution.of_vectors((tracks @ half).astype(np.float32), self.user_weights(history))

    @override
    def arrays(self) -> dict[str, Any]:
        return {"users": self.user_factors, "tracks": self.track_factors}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self.user_factors, self.track_factors = arrays["users"], arrays["tracks"]
