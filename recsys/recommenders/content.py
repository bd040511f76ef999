"""
Content-based scores for cold-start tracks: ridge regression from track features to the factors and users of tracks.

The targets are the factors of `als` and the likes of each user; the regression predicts both from a track's features,
and so scores every track, played or not. A played track is predicted from all other tracks (exact leave-one-out), so
that it never explains itself and new tracks compete with known ones on equal terms. Feature vectors of tracks with many
tags are longer: the more people tag a track, the more will play it.

Sources: Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, Learning Attribute-to-Feature Mappings for Cold-Start
Recommendations (ICDM 2010), here with a closed form; leaving one out: Hastie, Tibshirani, Friedman, The Elements of
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
from recsys.dataset.features import Features
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.ease import symmetrize
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Scorer, Validation

N_BLOCK = 1024  # tracks per block
MIN_REST = 1e-3  # least share of a track's prediction that comes from other tracks: it is divided by this share


@dataclass(frozen=True)
class ContentConfig:
    """
    Settings of `Content`.

    Attributes:
        factors: Length of a user's and a track's vector.
        epochs: Passes of the factorisation over both sides.
        regularization: L2 regularisation of the regression, > 0.
        size_exponent: The norm of a track's features is their summed weight to this power; 0: all tracks alike.
        direct_weight: Weight of the prediction from the user's likes beside that from the factors, >= 0: factors do not
            tell single artists apart.
        recency: Decay of a like by its age: it weighs (1 + age / 30 days)^-recency.
        max_features: Number of the most common features that are used; time grows with the cube, memory with the
            square.
        seed: Of the initial factors.
    """

    factors: int = 256
    epochs: int = 8
    regularization: float = tunable_range(1.0, 0.1, 30.0, log=True)
    size_exponent: float = tunable_range(0.4, 0.0, 1.0)
    direct_weight: float = tunable_range(1.0, 0.0, 3.0)
    recency: float = tunable_range(0.5, 0.0, 1.0)
    max_features: int = 10_000
    seed: int = 7


@dataclass(frozen=True, eq=False)
class ContentStates:
    """Users' factors, shape (n_users, factors), and the weights of their likes, CSR of shape (n_users, n_tracks)."""

    factors: F32
    liked: Csr

    def __getitem__(self, users: Any) -> Self:
        """Return some of them."""
        return type(self)(self.factors[users], self.liked[users])


class Content(Scorer[ContentConfig]):
    """
    Score of a track: prediction of its factors times the user's, plus `direct_weight` times that of the user's likes.

    A track without features scores 0; where no track has features, all scores are 0.
    """

    name: ClassVar[str] = "content"
    config_class: ClassVar[type[Any]] = ContentConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        self._als = self._new_als().fit(interactions)
        played = np.flatnonzero(np.bincount(interactions.matrix.indices, minlength=len(interactions.tracks)))
        self._features = self._scaled(interactions)  # (n_tracks, n_features)
        self._inverse = inverse(self._features[played], self.config.regularization)  # (n_features, n_features)
        self._leverage: F32 = np.zeros(len(interactions.tracks), np.float32)  # of played tracks, 0..1
        self._leverage[played] = leverage(self._features[played], self._inverse)
        factors = self._als.track_factors
        regression = self._inverse @ (self._features[played].T @ factors[played])  # (n_features, factors)
        self._tracks = self._left_out(self._features @ regression, factors)  # (n_tracks, factors)
        self._liked = self._als.user_weights(interactions.liked)
        return self

    def _new_als(self) -> ALS:
        config = self.config
        return ALS(ALSConfig(factors=config.factors, epochs=config.epochs, recency=config.recency, seed=config.seed))

    def _scaled(self, interactions: Interactions) -> Csr:
        """Return the features of each track, with a norm that grows with their summed weight."""
        tags = common(tfidf_features(interactions.track_features), self.config.max_features)
        scale = sizes(interactions.track_features) ** self.config.size_exponent
        return (sp.diags(scale.astype(np.float32)) @ tags).tocsr()

    def _left_out(self, predicted: F32, targets: F32) -> F32:
        """Return leave-one-out predictions: for a played track, exactly those of a fit without it."""
        own = self._leverage[:, None]
        return np.asarray((predicted - own * targets) / (1 - own), np.float32)

    @override
    def fold_in(self, history: History) -> ContentStates:
        return ContentStates(self._als.fold_in(history), self._als.user_weights(history))

    @override
    def states(self, rows: Rows) -> ContentStates:
        return ContentStates(self._als.states(rows), self._liked[rows])

    @override
    def score(self, states: ContentStates, out: F32) -> None:
        regression = (states.liked @ self._features) @ self._inverse  # (n_users, n_features)
        own = states.liked @ sp.diags(self._leverage)
        direct = (self._features @ regression.T).T - own.toarray()
        np.matmul(states.factors, self._tracks.T, out=out)
        out += self.config.direct_weight * direct / (1 - self._leverage)

    @override
    def attribution(self, history: History) -> Attribution:
        """Cosine of the features of two tracks, weighted by the strength of the like."""
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


def common(vectors: Csr, n: int) -> Csr:
    """Keep the `n` columns that most rows have, in their order, and only those that two rows or more share."""
    counts = np.bincount(vectors.indices[vectors.data != 0], minlength=vectors.shape[1])
    most = np.argsort(-counts, kind="stable")[:n]
    return vectors[:, np.sort(most[counts[most] > 1])]


def sizes(features: Features) -> F32:
    """Return the summed log(1 + weight) of each row, relative to the mean of rows with features; shape (n_rows,)."""
    sums = np.asarray(features.matrix.log1p().sum(axis=1), np.float32).ravel()
    scaled: F32 = sums / sums[sums > 0].mean() if sums.any() else sums
    return scaled


def inverse(vectors: Csr, regularization: float) -> F32:
    """Return (X'X + regularization)^-1 of vectors X, shape (n_features, n_features); in place, in double precision."""
    if not vectors.shape[1]:
        return np.zeros((0, 0), np.float32)  # LAPACK refuses an empty matrix
    gram = (vectors.T @ vectors).astype(np.float64).toarray()
    gram[np.diag_indices_from(gram)] += regularization
    factor, _ = lapack.dpotrf(gram.T, lower=0, overwrite_a=1)  # positive definite by the regularisation
    inverted = lapack.dpotri(factor, lower=0, overwrite_c=1)[0].T
    symmetrize(inverted)
    found: F32 = inverted.astype(np.float32)
    return found


def leverage(vectors: Csr, inverted: F32) -> F32:
    """Return the leverage of each row in a ridge regression: x (X'X + r)^-1 x', shape (n_rows,), 0..1."""
    found = np.zeros(vectors.shape[0], np.float32)
    for start in range(0, len(found), N_BLOCK):
        block = vectors[start : start + N_BLOCK]
        found[start : start + N_BLOCK] = np.asarray(block.multiply(block @ inverted).sum(axis=1)).ravel()
    return np.clip(found, 0, 1 - MIN_REST)
