"""
Content-based scores for cold-start tracks: ridge regression from track features to ALS factors and interactions.

The regression predicts, from a track's features, its `als` factors and its interaction weight with each user. So it
scores every track, including tracks that nobody has played. The prediction for a played track is fitted to all other
tracks (exact leave-one-out), so that its own plays do not favour it over new tracks. Feature vectors of tracks with
many tags are longer, because tracks with more tags are also played more.

Sources: Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, Learning Attribute-to-Feature Mappings for Cold-Start
Recommendations (ICDM 2010), here in closed form; leave-one-out: Hastie, Tibshirani, Friedman, The Elements of
Statistical Learning (2009), 7.10.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import tfidf_features, unit_rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.ease import symmetrize
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Scorer, Validation
from recsys.settings import Count, Exponent, Positive, PositiveOrZero, Seed, Settings

N_BLOCK = 1024  # tracks per block
MAX_LEVERAGE = 1 - 1e-3  # below 1, because leave-one-out predictions are divided by 1 - leverage


@dataclass(frozen=True)
class ContentConfig(Settings):
    """
    Settings of `Content`.

    Attributes:
        factors: Number of ALS factors of a user and of a track.
        epochs: Alternations of ALS.
        regularization: L2 regularization of the ridge regression, > 0.
        size_exponent: The norm of a track's feature vector is its summed feature weight to this power. 0: always 1.
        direct_weight: Weight, >= 0, of the predicted interaction weights relative to the predicted factors. Factors
            alone are too coarse to separate single artists.
        recency: Decay by age: weight (1 + age / 30 days)**-recency. 0: no decay.
        max_features: Number of features used, the most common ones. Time grows with its cube, memory with its square.
        seed: Seed of the initial ALS factors.
    """

    factors: Count = 256
    epochs: Count = 8
    regularization: Positive = tunable_range(1.0, 0.1, 30.0, log=True)
    size_exponent: Exponent = tunable_range(0.4, 0.0, 1.0)
    direct_weight: PositiveOrZero = tunable_range(1.0, 0.0, 3.0)
    recency: Exponent = tunable_range(0.5, 0.0, 1.0)
    max_features: Count = 10_000
    seed: Seed = 7


@dataclass(frozen=True, eq=False)
class ContentStates:
    """User states: ALS factors, shape (n_users, factors), and interaction weights, CSR, shape (n_users, n_tracks)."""

    factors: F32
    liked: Csr

    def __getitem__(self, users: Any) -> Self:
        """Return a subset of the users: a slice, rows, or a boolean array."""
        return type(self)(self.factors[users], self.liked[users])


class Content(Scorer[ContentConfig]):
    """
    Score = predicted track factors times user factors, plus `direct_weight` times the predicted interaction weight.

    Tracks without features score 0; if no track has features, all scores are 0.
    """

    name: ClassVar[str] = "content"
    config_class: ClassVar[type[Any]] = ContentConfig

    @property
    @override
    def reads_contents(self) -> bool:
        return True

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        self._als = self._new_als().fit(interactions)
        played = np.flatnonzero(np.bincount(interactions.matrix.indices, minlength=len(interactions.tracks)))
        self._features = self._scaled(interactions)  # (n_tracks, n_features)
        self._inverse = ridge_inverse(self._features[played], self.config.regularization)  # (n_features, n_features)
        self._leverage: F32 = np.zeros(len(interactions.tracks), np.float32)  # 0..1 for played tracks, 0 for others
        self._leverage[played] = leverage(self._features[played], self._inverse)
        factors = self._als.track_factors
        regression = self._inverse @ (self._features[played].T @ factors[played])  # (n_features, factors)
        self._tracks = self._leave_one_out(self._features @ regression, factors)  # (n_tracks, factors)
        self._liked = self._als.user_weights(interactions.liked)
        return self

    def _new_als(self) -> ALS:
        config = self.config
        return ALS(ALSConfig(factors=config.factors, epochs=config.epochs, recency=config.recency, seed=config.seed))

    def _scaled(self, interactions: Interactions) -> Csr:
        """Return the feature vector of each track, scaled by its summed feature weight (see `size_exponent`)."""
        tags = tfidf_features(interactions.track_features, size_exponent=self.config.size_exponent)
        return most_common_features(tags, self.config.max_features)

    def _leave_one_out(self, predicted: F32, targets: F32) -> F32:
        """Return leave-one-out predictions: for a played track, those of a fit to all other tracks."""
        leverages = self._leverage[:, None]
        return np.asarray((predicted - leverages * targets) / (1 - leverages), np.float32)

    @override
    def fold_in(self, history: History) -> ContentStates:
        return ContentStates(self._als.fold_in(history), self._als.user_weights(history))

    @override
    def decay_by_default(self) -> None:
        super().decay_by_default()
        self._als.config = self._new_als().config

    @override
    def states(self, rows: Rows) -> ContentStates:
        return ContentStates(self._als.states(rows), self._liked[rows])

    @override
    def keep_users(self, rows: Rows) -> None:
        self._als.keep_users(rows)
        self._liked = self._liked[rows]

    @override
    def score(self, states: ContentStates, out: F32) -> None:
        regression = (states.liked @ self._features) @ self._inverse  # (n_users, n_features)
        of_track_itself = states.liked @ sp.diags(self._leverage)
        direct = (self._features @ regression.T).T - of_track_itself.toarray()
        np.matmul(states.factors, self._tracks.T, out=out)
        out += self.config.direct_weight * direct / (1 - self._leverage)

    @override
    def attribution(self, history: History) -> Attribution:
        """Attribute by the cosine of two tracks' feature vectors, times the strength of the interaction."""
        tags = unit_rows(self._features)

        def cosine(scored: Rows, played: Rows) -> F32:
            rows, row = np.unique(scored, return_inverse=True)
            columns, column = np.unique(played, return_inverse=True)
            cosines: F32 = (tags[rows] @ tags[columns].T).toarray()
            return cosines[row.reshape(scored.shape)[:, :, None], column.reshape(played.shape)[:, None, :]]

        return Attribution(cosine, history.matrix)

    @override
    def arrays(self) -> dict[str, Any]:
        plain = {"tracks": self._tracks, "inverse": self._inverse, "leverage": self._leverage}
        als = {f"als_{name}": array for name, array in self._als.arrays().items()}
        return plain | als | arrays_of("features", self._features) | arrays_of("liked", self._liked)

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._tracks, self._inverse, self._leverage = arrays["tracks"], arrays["inverse"], arrays["leverage"]
        self._features, self._liked = matrix_of("features", arrays), matrix_of("liked", arrays)
        self._als = self._new_als()
        self._als.restore({name: arrays[f"als_{name}"] for name in ("users", "tracks")})


def most_common_features(vectors: Csr, n: int) -> Csr:
    """Keep the `n` columns with the most non-zero rows, in their order. Columns with fewer than two are dropped."""
    counts = np.bincount(vectors.indices[vectors.data != 0], minlength=vectors.shape[1])
    columns = np.argsort(-counts, kind="stable")[:n]
    return vectors[:, np.sort(columns[counts[columns] > 1])]


def ridge_inverse(vectors: Csr, regularization: float) -> F32:
    """Return (X'X + regularization * I)^-1 for vectors X. Shape (n_features, n_features)."""
    if not vectors.shape[1]:
        return np.zeros((0, 0), np.float32)  # LAPACK fails on an empty matrix
    gram = (vectors.T @ vectors).astype(np.float64).toarray()
    gram[np.diag_indices_from(gram)] += regularization
    factor, _ = lapack.dpotrf(gram.T, lower=0, overwrite_a=1)  # positive definite, thanks to the regularization
    inverted = lapack.dpotri(factor, lower=0, overwrite_c=1)[0].T
    symmetrize(inverted)
    single_precision: F32 = inverted.astype(np.float32)
    return single_precision


def leverage(vectors: Csr, inverse: F32) -> F32:
    """Return the leverage of each row in a ridge regression: x (X'X + r I)^-1 x'. Shape (n_rows,), 0..MAX_LEVERAGE."""
    values = np.zeros(vectors.shape[0], np.float32)
    for start in range(0, len(values), N_BLOCK):
        block = vectors[start : start + N_BLOCK]
        values[start : start + N_BLOCK] = np.asarray(block.multiply(block @ inverse).sum(axis=1)).ravel()
    return np.clip(values, 0, MAX_LEVERAGE)
