"""
Tracks placed by what is known of them: where a new track of this artist, with these tags, would stand among the others.

Listening says where the played tracks stand (the factors of `als`, and who likes them); a ridge regression learns from
them where the features of a track put it, and so places every track, played or not. A played track is placed by all
the others alone, exactly, so that it never explains itself and new tracks compete with known ones on equal terms. How
much is known of a track is evidence too: the more people tag it, the more will play it.

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
from recsys.dataset.feature_vectors import tag_vectors, unit_rows
from recsys.dataset.interactions import Features, History, Interactions
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import mirror
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.search_space import searched
from recsys.recommenders.parts.sparse import arrays_of, matrix_of

N_BLOCK = 1024  # tracks placed at a time
CLOSE = 1e-3  # a track that its own features explain to this share has nothing left to be placed by


@dataclass(frozen=True)
class ContentConfig:
    """
    Settings of `Content`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes of the factorisation over both sides.
        regularization: Pull of what a feature says towards nothing, > 0.
        size_exponent: How much a track counts of which much is known: its features' length is their summed weight to
            this power; 0: all tracks alike.
        direct_weight: What the listener's own tracks say beside the factors, >= 0: factors know tastes, not each
            artist.
        recency: How fast a track liked long ago loses weight in a listener's taste: (1 + age / 30 days)^-recency.
        max_features: So many of the most common features are learned from; time grows with the cube, memory with the
            square.
        seed: Where the factors start.
    """

    factors: int = 256
    epochs: int = 8
    regularization: float = searched(1.0, 0.1, 30.0, log=True)
    size_exponent: float = searched(0.4, 0.0, 1.0)
    direct_weight: float = searched(1.0, 0.0, 3.0)
    recency: float = searched(0.5, 0.0, 1.0)
    max_features: int = 10_000
    seed: int = 7


@dataclass(frozen=True, eq=False)
class Listeners:
    """Some listeners: their factors, shape (n_users, factors), and what they like, CSR of shape (n_users, n_tracks)."""

    factors: F32
    liked: Csr

    def __getitem__(self, users: Any) -> Self:
        """Return some of them."""
        return type(self)(self.factors[users], self.liked[users])


class Content(Recommender[ContentConfig]):
    """
    Score of a track: what the ridge regression of a listener's taste on features of tracks promises, for each track.

    A taste is what the factors promise of every played track, plus the likes themselves. A track without features
    scores 0; where no track has any, this is no model of taste.
    """

    name: ClassVar[str] = "content"
    config_class: ClassVar[type[Any]] = ContentConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        self._listening = self._factorisation().fit(taste)
        played = np.flatnonzero(np.bincount(taste.matrix.indices, minlength=len(taste.tracks)))
        self._features = self._sized(taste)  # (n_tracks, n_features)
        self._inverse = inverse(self._features[played], self.config.regularization)  # (n_features, n_features)
        self._own: F32 = np.zeros(len(taste.tracks), np.float32)  # how far a track explains itself, 0..1
        self._own[played] = leverage(self._features[played], self._inverse)
        factors = self._listening._tracks  # noqa: SLF001 - of a part
        told = self._inverse @ (self._features[played].T @ factors[played])  # (n_features, factors)
        self._tracks = self._without_own(self._features @ told, factors)  # (n_tracks, factors)
        self._liked = self._weights(taste.liked)

    def _factorisation(self) -> ALS:
        config = self.config
        return ALS(ALSConfig(factors=config.factors, epochs=config.epochs, recency=config.recency, seed=config.seed))

    def _sized(self, taste: Interactions) -> Csr:
        """Return the features of each track, of a length that grows with how much is known of it."""
        tags = common(tag_vectors(taste.track_features), self.config.max_features)
        scale = sizes(taste.track_features) ** self.config.size_exponent
        return (sp.diags(scale.astype(np.float32)) @ tags).tocsr()

    def _without_own(self, told: F32, own: F32) -> F32:
        """Take out what each track says of itself: for a played one, the exact answer of a fit without it."""
        share = self._own[:, None]
        return np.asarray((told - share * own) / (1 - share), np.float32)

    def _weights(self, history: History) -> Csr:
        return self._listening._weights(history, recency=self.config.recency)  # noqa: SLF001

    @override
    def _folded(self, history: History) -> Listeners:
        return Listeners(self._listening._folded(history), self._weights(history))  # noqa: SLF001

    @override
    def _states(self, rows: Rows) -> Listeners:
        return Listeners(self._listening._states(rows), self._liked[rows])  # noqa: SLF001

    @override
    def _score(self, states: Listeners, out: F32) -> None:
        wanted = (states.liked @ self._features) @ self._inverse  # (n_users, n_features)
        own = states.liked @ sp.diags(self._own)
        direct = (self._features @ wanted.T).T - own.toarray()
        np.matmul(states.factors, self._tracks.T, out=out)
        out += self.config.direct_weight * direct / (1 - self._own)

    @override
    def _kinship(self, history: History) -> Kinship:
        """Cosine of the features of two tracks, whatever the strength."""
        tags = unit_rows(self._features)

        def kin(asked: Rows, played: Rows) -> F32:
            rows, row = np.unique(asked, return_inverse=True)
            columns, column = np.unique(played, return_inverse=True)
            cosines: F32 = (tags[rows] @ tags[columns].T).toarray()
            return cosines[row.reshape(asked.shape)[:, :, None], column.reshape(played.shape)[:, None, :]]

        return Kinship(kin, history.matrix)

    @override
    def _arrays(self) -> dict[str, Any]:
        plain = {"tracks": self._tracks, "inverse": self._inverse, "own": self._own}
        listening = {f"listening_{name}": array for name, array in self._listening._arrays().items()}  # noqa: SLF001
        return plain | listening | arrays_of("features", self._features) | arrays_of("liked", self._liked)

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._tracks, self._inverse, self._own = arrays["tracks"], arrays["inverse"], arrays["own"]
        self._features, self._liked = matrix_of("features", arrays), matrix_of("liked", arrays)
        self._listening = self._factorisation()
        self._listening._restore({name: arrays[f"listening_{name}"] for name in ("users", "tracks")})  # noqa: SLF001


def common(vectors: Csr, n: int) -> Csr:
    """Keep the `n` columns that most rows have, in their order, of those that at least two rows share."""
    counts = np.bincount(vectors.indices[vectors.data != 0], minlength=vectors.shape[1])
    most = np.argsort(-counts, kind="stable")[:n]
    return vectors[:, np.sort(most[counts[most] > 1])]


def sizes(features: Features) -> F32:
    """Return how much is known of each row, where the mean row that has features is 1; shape (n_rows,), float32."""
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
    mirror(inverted)
    found: F32 = inverted.astype(np.float32)
    return found


def leverage(vectors: Csr, inverted: F32) -> F32:
    """Return how far each row explains itself in a ridge regression: x (X'X + r)^-1 x', shape (n_rows,), 0..1."""
    told = np.zeros(vectors.shape[0], np.float32)
    for start in range(0, len(told), N_BLOCK):
        block = vectors[start : start + N_BLOCK]
        told[start : start + N_BLOCK] = np.asarray(block.multiply(block @ inverted).sum(axis=1)).ravel()
    return np.clip(told, 0, 1 - CLOSE)
