"""
Matrix factorisation of implicit feedback by alternating least squares (iALS), with frequency-scaled regularization.

After training, user factors are computed by one half-step on the user's history. So a training user and a new
user with the same history get the same scores. Recency weights apply in this half-step only: track factors are learned
from all interactions regardless of age, which ranks better.

Sources: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008); Rendle, Krichene,
Zhang, Koren, Revisiting the Performance of iALS on Item Recommendation Benchmarks (RecSys 2022), which also names
the settings.
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
from recsys.recommenders.parts.least_squares import TOLERANCE, FixedSide, half_step
from recsys.recommenders.parts.search_space import tunable_range, tunable_recency
from recsys.recommenders.scorer import IterativeScorer, Validation
from recsys.settings import Count, Exponent, Positive, PositiveOrZero, Recency, Seed, Settings

TRAINING_TOLERANCE = 1e-2  # of half-steps in training, each of which the next one replaces
INITIAL_NORM = 0.1  # expected norm of a track's factors before the first half-step


@dataclass(frozen=True)
class ALSConfig(Settings):
    """
    Settings of `ALS`.

    Attributes:
        factors: Number of factors of a user and of a track.
        epochs: Number of alternations; each solves all users, then all tracks.
        regularization: L2 regularization of the factors of a user or track, > 0; scaled by frequency, see
            `frequency_exponent`.
        frequency_exponent: The regularization of a user or track is regularization * (n_observed + unobserved_weight *
            n_possible)**frequency_exponent, where n_observed and n_possible are its numbers of observed and possible
            pairs. 0: the same for all.
        unobserved_weight: Confidence weight of an unobserved pair; the observed pairs of a user have mean weight 1.
        side_weight: Weight of track features relative to interactions, >= 0. Each feature of at least two tracks is an
            additional row of the matrix, like a user who likes these tracks. 0: features are not used.
        strength_exponent: The confidence weight of an interaction is strength**strength_exponent, divided by the user's
            mean. 0: all interactions have the same weight.
        recency: Decay by age in the user factors: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
        seed: Seed of the initial factors.
    """

    factors: Count = 256
    epochs: Count = 8
    regularization: Positive = tunable_range(0.25, 0.03, 3.0, log=True)
    frequency_exponent: Exponent = tunable_range(0.5, 0.0, 1.0)
    unobserved_weight: Positive = tunable_range(0.05, 0.01, 0.5, log=True)
    side_weight: PositiveOrZero = tunable_range(3.0, 0.3, 10.0, log=True, needs="features")
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 0.7, needs="strengths")
    recency: Recency = tunable_recency(1.0)
    rank_recency: Recency = tunable_recency(0.0)
    seed: Seed = 7


class ALS(IterativeScorer[ALSConfig]):
    """
    Score = inner product of user factors and track factors.

    Attributes:
        user_factors: Factors of the training users. Shape (n_users, factors), float32.
        track_factors: Factors of all tracks. Shape (n_tracks, factors), float32.
    """

    name: ClassVar[str] = "als"
    config_class: ClassVar[type[Any]] = ALSConfig
    user_factors: F32
    track_factors: F32
    _prepared: FixedSide | None = None

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        return self.fit_from(self._initial_factors(len(interactions.tracks)), interactions)

    @override
    def fit_from(self, track_factors: F32, interactions: Interactions) -> Self:
        weights = self._with_features(self._confidence(interactions.liked), interactions.track_features)
        by_track = weights.T.tocsr()
        is_new = ~track_factors.any(axis=1, keepdims=True)  # 0 would stay 0 where nobody plays other tracks
        self.track_factors = np.where(is_new, self._initial_factors(len(track_factors)), track_factors)
        for _ in range(self.config.epochs):
            user_factors = self._step(weights, self.track_factors, TRAINING_TOLERANCE)
            self.track_factors = self._step(by_track, user_factors, TRAINING_TOLERANCE)
        self.user_factors = self._step(self.user_weights(interactions.liked), self.track_factors, TOLERANCE)
        return self

    def _with_features(self, weights: Csr, features: Features) -> Csr:
        """Append one row per feature of at least two tracks. Shape (n_users + n_features, n_tracks)."""
        if self.config.side_weight == 0:
            return weights
        tags = tfidf_features(features).T.tocsr()
        tags.eliminate_zeros()
        shared = tags[np.flatnonzero(np.diff(tags.indptr) > 1)]
        return sp.vstack([weights, shared * np.float32(self.config.side_weight)], format="csr")

    def _initial_factors(self, n_rows: int) -> F32:
        rng = np.random.default_rng(self.config.seed)
        factors = rng.standard_normal((n_rows, self.config.factors), np.float32)
        return factors * np.float32(INITIAL_NORM / np.sqrt(self.config.factors))

    def user_weights(self, history: History) -> Csr:
        """Return the confidence weights for user factors, mean 1 per user. CSR with the pattern of `history.matrix`."""
        return self._confidence(history, recency=self.config.recency, rank_recency=self.config.rank_recency)

    def _confidence(self, history: History, *, recency: float = 0, rank_recency: float = 0) -> Csr:
        """Return confidence weights with mean 1 per user, so that factors of heavy and light users are comparable."""
        exponent = self.config.strength_exponent
        return mean_normalised(confidence(history, exponent=exponent, recency=recency, rank_recency=rank_recency))

    def _step(self, weights: Csr, fixed: F32, tolerance: float) -> F32:
        """Solve for the factors of all rows of `weights`, given the factors of the columns (`fixed`)."""
        penalties = self._penalties(np.diff(weights.indptr), weights.shape[1])
        unobserved = self.config.unobserved_weight
        return half_step(weights, fixed, unobserved=unobserved, penalties=penalties, tolerance=tolerance)

    def _penalties(self, counts: Rows, n_others: int) -> npt.NDArray[np.float64]:
        """Return the L2 penalty of rows with `counts` of `n_others` pairs observed: section 3.3 of Rendle et al."""
        config = self.config
        frequency = counts + config.unobserved_weight * n_others
        return np.asarray(config.regularization * frequency**config.frequency_exponent, np.float64)

    @override
    def fold_in(self, history: History) -> F32:
        weights = self.user_weights(history)
        penalties = self._penalties(np.diff(weights.indptr), weights.shape[1])
        return self._side_of_tracks().solve(weights, unobserved=self.config.unobserved_weight, penalties=penalties)

    def _side_of_tracks(self) -> FixedSide:
        """Return the track factors, prepared once: a service folds in one listener at a time."""
        if self._prepared is None or self._prepared.fixed is not self.track_factors:
            self._prepared = FixedSide.of(self.track_factors)
        return self._prepared

    @override
    def states(self, rows: Rows) -> F32:
        return self.user_factors[rows]

    @override
    def keep_users(self, rows: Rows) -> None:
        self.user_factors = self.user_factors[rows]

    @override
    def track_vectors(self) -> F32:
        return self.track_factors

    @override
    def score(self, states: F32, out: F32) -> None:
        np.matmul(states, self.track_factors.T, out=out)

    @override
    def attribution(self, history: History) -> Attribution:
        """
        Split scores into contributions of the tracks in the history (section 5 of Hu et al.).

        A user's vector is A^-1 b, where A and b are sums over the tracks in the history. The contributions are an
        approximation: b is the user's own, but A is that of a user without interactions, so that one inverse serves all
        users.
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
