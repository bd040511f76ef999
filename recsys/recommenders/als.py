"""
Matrix factorisation of implicit feedback by alternating least squares, regularised by how much each side is heard.

A listener's factors are always one exact half-step from their history, also after training: so a known listener, the
same listener folded in, and a stranger with the same plays get the same answer. Only there do recent plays weigh more:
tracks are learned from all plays alike, which ranks better.

Sources: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008); Rendle, Krichene,
Zhang, Koren, Revisiting the Performance of iALS on Item Recommendation Benchmarks (RecSys 2022), whose names these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import tag_vectors
from recsys.dataset.interactions import Features, History, Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.confidence import of_mean, weighed
from recsys.recommenders.parts.least_squares import half_step
from recsys.recommenders.parts.search_space import searched

START = 0.1  # expected length of a track's factors before the first half-step


@dataclass(frozen=True)
class ALSConfig:
    """
    Settings of `ALS`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes over both sides.
        regularization: Pull of a row's factors towards zero, > 0; see `frequency_exponent`.
        frequency_exponent: A row's pull is regularization * (its pairs + unobserved_weight * all it could have)**this:
            0 pulls all rows alike, 1 each pair.
        unobserved_weight: What a pair without a like weighs, where a listener's mean like weighs 1.
        side_weight: What features of tracks weigh beside likes, >= 0: each feature that several tracks have is learned
            from as if it were a listener who likes them. 0: no features.
        strength_exponent: A like weighs strength**this, relative to its listener's others; 0: all the same.
        recency: How fast a track liked long ago loses weight in a listener's taste: (1 + age / 30 days)^-recency.
        seed: Where the factors start.
    """

    factors: int = 256
    epochs: int = 8
    regularization: float = searched(0.25, 0.03, 3.0, log=True)
    frequency_exponent: float = searched(0.5, 0.0, 1.0)
    unobserved_weight: float = searched(0.05, 0.01, 0.5, log=True)
    side_weight: float = searched(3.0, 0.3, 10.0, log=True)
    strength_exponent: float = searched(0.25, 0.0, 0.7)
    recency: float = searched(1.0, 0.0, 2.0)
    seed: int = 7


class ALS(Recommender[ALSConfig]):
    """Score of a track: inner product of the listener's and the track's factors."""

    name: ClassVar[str] = "als"
    config_class: ClassVar[type[Any]] = ALSConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        weights = self._with_features(self._weights(taste.liked, recency=0), taste.track_features)
        by_track = weights.T.tocsr()
        self._tracks = self._start(len(taste.tracks))  # (n_tracks, factors)
        for _ in range(self.config.epochs):
            self._tracks = self._step(by_track, self._step(weights, self._tracks))
        self._users = self._folded(taste.liked)  # (n_users, factors)

    def _with_features(self, weights: Csr, features: Features) -> Csr:
        """Put the features that several tracks have under the listeners, shape (n_users + n_features, n_tracks)."""
        if self.config.side_weight == 0:
            return weights
        tags = tag_vectors(features).T.tocsr()
        tags.eliminate_zeros()
        shared = tags[np.flatnonzero(np.diff(tags.indptr) > 1)]
        return sp.vstack([weights, shared * np.float32(self.config.side_weight)], format="csr")

    def _start(self, n_rows: int) -> F32:
        rng = np.random.default_rng(self.config.seed)
        drawn = rng.standard_normal((n_rows, self.config.factors), np.float32)
        return drawn * np.float32(START / np.sqrt(self.config.factors))

    def _weights(self, history: History, *, recency: float) -> Csr:
        """Weigh likes; the mean of each listener is 1, so that neither heavy nor old listening makes a taste louder."""
        return of_mean(weighed(history, exponent=self.config.strength_exponent, recency=recency))

    def _step(self, weights: Csr, fixed: F32) -> F32:
        """Solve all rows of `weights`, the other side's factors being `fixed`."""
        pulls = self._pulls(np.diff(weights.indptr), weights.shape[1])
        return half_step(weights, fixed, unobserved=self.config.unobserved_weight, pulls=pulls)

    def _pulls(self, counts: Rows, n_others: int) -> npt.NDArray[np.float64]:
        """Return the regularisation of rows with so many pairs out of `n_others`: section 3.3 of the second source."""
        config = self.config
        frequency = counts + config.unobserved_weight * n_others
        return np.asarray(config.regularization * frequency**config.frequency_exponent, np.float64)

    @override
    def _folded(self, history: History) -> F32:
        return self._step(self._weights(history, recency=self.config.recency), self._tracks)

    @override
    def _states(self, rows: Rows) -> F32:
        return self._users[rows]

    @override
    def _score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """
        Split a score into the played tracks' shares (section 5 of the first source).

        One inverse serves all listeners: that of one who played nothing stands for each listener's own.
        """
        tracks = self._tracks.astype(np.float64)
        pull = self._pulls(np.zeros(1, np.int64), len(tracks))
        shared = self.config.unobserved_weight * (tracks.T @ tracks) + pull * np.eye(self.config.factors)
        half = np.linalg.cholesky(np.linalg.inv(shared))  # half half' = shared^-1
        weights = self._weights(history, recency=self.config.recency)
        return Kinship.of_vectors((tracks @ half).astype(np.float32), weights)

    @override
    def _arrays(self) -> dict[str, Any]:
        return {"users": self._users, "tracks": self._tracks}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._users, self._tracks = arrays["users"], arrays["tracks"]
