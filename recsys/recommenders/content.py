"""
Tracks placed by what is known of them: where a new track of this artist, with these tags, would stand among the others.

Listening says where the played tracks stand (the factors of `als`); a ridge regression learns from them where the
features of a track put it, and so places every track, played or not. A played track is placed by all the others alone,
exactly, so that it never explains itself and new tracks compete with known ones on equal terms. How much is known of a
track is evidence too: the more people tag it, the more will play it.

Sources: Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, Learning Attribute-to-Feature Mappings for Cold-Start
Recommendations (ICDM 2010), here with a closed form; leaving one out: Hastie, Tibshirani, Friedman, The Elements of
Statistical Learning (2009), 7.10.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cho_factor, cho_solve
from typing_extensions import override

from recsys.interactions import Csr, Features, History, Interactions
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.base import Recommender
from recsys.recommenders.reasons import Kinship
from recsys.recommenders.space import searched
from recsys.recommenders.sparse import arrays_of, matrix_of
from recsys.recommenders.tags import tag_vectors
from recsys.recommenders.topk import F32
from recsys.vocab import Rows

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
        recency: How fast a track liked long ago loses weight in a listener's taste: (1 + age / 30 days)^-recency.
        max_features: So many of the most common features are learned from; time grows with the cube.
        seed: Where the factors start.
    """

    factors: int = 128
    epochs: int = 8
    regularization: float = searched(10.0, 1.0, 100.0, log=True)
    size_exponent: float = searched(0.5, 0.0, 1.0)
    recency: float = searched(0.5, 0.0, 1.0)
    max_features: int = 20_000
    seed: int = 7


class Content(Recommender[ContentConfig]):
    """
    Score of a track: inner product of the listener's factors and those that its features promise.

    A track without features scores 0; where no track has any, this is no model of taste.
    """

    name: ClassVar[str] = "content"
    config_class: ClassVar[type[Any]] = ContentConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        self._listening = self._factorisation().fit(taste)
        factors = self._listening._tracks  # noqa: SLF001 - of a part
        played = np.flatnonzero(np.bincount(taste.matrix.indices, minlength=len(taste.tracks)))
        self._tags = common(tag_vectors(taste.track_features), self.config.max_features)
        sized = (sp.diags(sizes(taste.track_features) ** self.config.size_exponent) @ self._tags).tocsr()
        self._tracks = placed(sized, factors, played, self.config.regularization)  # (n_tracks, factors)

    def _factorisation(self) -> ALS:
        config = self.config
        return ALS(ALSConfig(factors=config.factors, epochs=config.epochs, recency=config.recency, seed=config.seed))

    @override
    def _folded(self, history: History) -> F32:
        return self._listening._folded(history)  # noqa: SLF001

    @override
    def _states(self, rows: Rows) -> F32:
        return self._listening._states(rows)  # noqa: SLF001

    @override
    def _score(self, states: F32, out: F32) -> None:
        np.matmul(states, self._tracks.T, out=out)

    @override
    def _kinship(self, history: History) -> Kinship:
        """Cosine of the features of two tracks, whatever the strength."""

        def kin(asked: Rows, played: Rows) -> F32:
            rows, row = np.unique(asked, return_inverse=True)
            columns, column = np.unique(played, return_inverse=True)
            cosines: F32 = (self._tags[rows] @ self._tags[columns].T).toarray()
            return cosines[row.reshape(asked.shape)[:, :, None], column.reshape(played.shape)[:, None, :]]

        return Kinship(kin, history.matrix)

    @override
    def _arrays(self) -> dict[str, Any]:
        listening = {f"listening_{name}": array for name, array in self._listening._arrays().items()}  # noqa: SLF001
        return {"tracks": self._tracks, **arrays_of("tags", self._tags), **listening}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._tracks, self._tags = arrays["tracks"], matrix_of("tags", arrays)
        self._listening = self._factorisation()
        self._listening._restore({name: arrays[f"listening_{name}"] for name in ("users", "tracks")})  # noqa: SLF001


def common(vectors: Csr, n: int) -> Csr:
    """Keep the `n` columns that most rows have, in their order, of those that at least two rows share."""
    counts = np.bincount(vectors.indices[vectors.data != 0], minlength=vectors.shape[1])
    most = np.argsort(-counts, kind="stable")[:n]
    return vectors[:, np.sort(most[counts[most] > 1])]


def sizes(features: Features) -> F32:
    """Return how much is known of each row, where the mean row that has features is 1; shape (n_rows,), float32."""
    sums = np.asarray(features.matrix.log1p().sum(axis=1)).ravel()
    return (sums / max(sums[sums > 0].mean(), 1e-12) if sums.any() else sums).astype(np.float32)


def placed(vectors: Csr, factors: F32, learned: Rows, regularization: float) -> F32:
    """
    Place every track where its features put it.

    Args:
        vectors: Features of each track. CSR, shape (n_tracks, n_features).
        factors: Where the learned tracks stand. Shape (n_tracks, factors).
        learned: Rows to learn from, unique. Each is placed by the ridge regression on all others.
        regularization: Pull of the regression's weights towards zero, > 0.

    Returns:
        Shape (n_tracks, factors), float32.
    """
    known = vectors[learned]
    gram = (known.T @ known).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += regularization
    root = cho_factor(gram, lower=True, overwrite_a=True)
    weights = cho_solve(root, (known.T @ factors[learned]).astype(np.float64))  # (n_features, factors)
    found = vectors @ weights
    left = np.maximum(1 - leverage(known, root), CLOSE)[:, None]
    found[learned] = factors[learned] - (factors[learned] - found[learned]) / left
    return np.ascontiguousarray(found, np.float32)


def leverage(vectors: Csr, root: Any) -> Any:
    """Return how far each row explains itself: x (X'X + r)^-1 x', shape (n_rows,), 0..1."""
    told = []
    for start in range(0, vectors.shape[0], N_BLOCK):
        block = vectors[start : start + N_BLOCK].toarray().T.astype(np.float64)  # (n_features, n_block)
        told.append((block * cho_solve(root, block)).sum(axis=0))
    return np.concatenate(told)
