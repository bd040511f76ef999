"""
A linear item-item model in closed form (EASE), with track features as side information and recency weights.

Each user is a weighted row of the tracks they like. The model is the ridge regression of every track on all others,
with zero weight of a track on itself. Track features are further rows under the users, so that tracks with the same
artist or tags get a weight on each other even where few have played them. Recent likes weigh more when scores are
made, so scores follow a user's taste without a refit.

Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); side information as rows: Jeunen, Van
Balen, Goethals, Closed-Form Models for Collaborative Filtering with Side-Information (RecSys 2020); regularisation by
frequency: Steck, Autoencoders that don't overfit towards the Identity (NeurIPS 2020).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import tfidf_features
from recsys.dataset.interactions import History, Interactions
from recsys.errors import InputError
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence, mean_normalised
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Scorer, Validation

N_BLOCK = 1024  # rows at a time
N_LAPACK = 8192  # rows of a matrix that LAPACK inverts at once

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EASEConfig:
    """
    Settings of `EASE`.

    Attributes:
        regularization: L2 regularisation of all weights, > 0.
        dropout: Share of a user's tracks that are dropped out in training (in closed form), 0..1: regularises more
            where a track is played more.
        side_weight: Weight of features beside users, >= 0; 0: no features.
        strength_exponent: 0 counts every liked track the same, 1 by its strength; relative to the user's mean.
        listener_exponent: Down-weights users with many tracks in training: by their number**-listener_exponent, 0..1.
        recency: Decay of a like by its age when scores are made: it weighs (1 + age / 30 days)^-recency.
        max_tracks: Number of the most liked tracks that are modelled; all others score 0. Time grows with the cube,
            memory with the square.
    """

    regularization: float = tunable_range(100.0, 20.0, 1000.0, log=True)
    dropout: float = tunable_range(0.25, 0.0, 0.6)
    side_weight: float = tunable_range(10.0, 0.5, 60.0, log=True)
    strength_exponent: float = tunable_range(0.25, 0.0, 0.7)
    listener_exponent: float = tunable_range(0.35, 0.0, 0.7)
    recency: float = tunable_range(0.5, 0.0, 1.0)
    max_tracks: int = 40_000


class EASE(Scorer[EASEConfig]):
    """Score of a track: sum, over the user's tracks, of confidence times item-item weight."""

    name: ClassVar[str] = "ease"
    config_class: ClassVar[type[Any]] = EASEConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        self._modelled = self._most_liked(interactions)  # sorted track rows, shape (n_modelled,)
        learned = mean_normalised(confidence(interactions.liked, exponent=self.config.strength_exponent))[
            :, self._modelled
        ]
        gram = np.zeros((len(self._modelled), len(self._modelled)), np.float32)
        add_gram(gram, self._scaled(learned), weight=1)
        own = gram.diagonal().copy()
        if self.config.side_weight > 0:
            tags = tfidf_features(interactions.track_features)[self._modelled]
            add_gram(gram, tags.T.tocsr(), weight=self.config.side_weight)
        dropout = self.config.dropout
        gram[np.diag_indices_from(gram)] += self.config.regularization + dropout / (1 - dropout) * own
        self._weights = ease_weights(gram)  # (n_modelled, n_modelled): row the played track, column the scored one
        self._users = self.fold_in(interactions.liked)  # (n_users, n_tracks)
        return self

    def _most_liked(self, interactions: Interactions) -> Rows:
        likes = np.bincount(interactions.matrix.indices, minlength=len(interactions.tracks))
        if len(likes) > self.config.max_tracks:
            log.warning("ease models the %d most liked of %d tracks exactly", self.config.max_tracks, len(likes))
        return np.sort(np.argsort(-likes, kind="stable")[: self.config.max_tracks])

    def _scaled(self, learned: Csr) -> Csr:
        """Down-weight users with many tracks."""
        n_liked = np.maximum(np.diff(learned.indptr), 1)
        scale = (n_liked / n_liked.mean()) ** -self.config.listener_exponent
        return (sp.diags(scale.astype(np.float32)) @ learned).tocsr()

    @override
    def fold_in(self, history: History) -> Csr:
        return confidence(history, exponent=self.config.strength_exponent, recency=self.config.recency)

    @override
    def states(self, rows: Rows) -> Csr:
        return self._users[rows]

    @override
    def score(self, states: Csr, out: F32) -> None:
        if len(self._modelled) == out.shape[1]:
            np.copyto(out, states @ self._weights)
        else:
            out.fill(0)
            out[:, self._modelled] = states[:, self._modelled] @ self._weights

    @override
    def attribution(self, history: History) -> Attribution:
        weights, n_tracks = self._weights, history.matrix.shape[1]
        place, is_modelled = np.zeros(n_tracks, np.int64), np.zeros(n_tracks, np.bool_)
        place[self._modelled], is_modelled[self._modelled] = np.arange(len(self._modelled)), True

        def item_weights(scored: Rows, played: Rows) -> F32:
            found: F32 = weights[place[played][:, None, :], place[scored][:, :, None]]
            return np.where(is_modelled[played][:, None, :] & is_modelled[scored][:, :, None], found, 0)

        return Attribution(item_weights, self.fold_in(history))

    @override
    def arrays(self) -> dict[str, Any]:
        users = arrays_of("users", self._users)
        return {"modelled": self._modelled, "weights": self._weights, **users}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._modelled, self._weights = arrays["modelled"], arrays["weights"]
        self._users = matrix_of("users", arrays)


def add_gram(gram: F32, rows: Csr, *, weight: float) -> None:
    """Add weight * rows' rows, rows of shape (n_rows, n_tracks), in blocks to bound memory."""
    by_track = rows.T.tocsr()
    for start in range(0, len(gram), N_BLOCK):
        block = slice(start, start + N_BLOCK)
        gram[block] += weight * (by_track[block] @ rows).toarray()


def ease_weights(gram: F32) -> F32:
    """
    Return EASE's item-item weights from a regularised Gram matrix, which is overwritten.

    Column j holds the ridge regression of track j on all others: -P[i, j] / P[j, j] with P the inverse, 0 on the
    diagonal.

    Raises:
        InputError: The matrix is not positive definite: the regularisation is too small for single precision.
    """
    try:
        invert(gram)
    except np.linalg.LinAlgError as failed:
        remedy = "raise ease's regularization"
        raise InputError(f"the Gram matrix of {len(gram):,} tracks cannot be inverted; {remedy}") from failed
    diagonal = gram.diagonal().copy()
    gram /= -diagonal
    np.fill_diagonal(gram, 0)
    return gram


def invert(matrix: F32) -> None:
    """
    Invert a symmetric, positive definite matrix in place; only the lower triangle is read.

    Recursive by halves with the Schur complement: n^3 operations, as by Cholesky, most of them in matrix products.
    LAPACK gets at most `N_LAPACK` rows: its own factorisation crashes on two threads from about 37,000 rows on.

    Raises:
        LinAlgError: It is not positive definite in single precision.
    """
    if len(matrix) <= N_LAPACK:
        _invert_at_once(matrix)
        return
    half = len(matrix) // 2
    first, below, last = matrix[:half, :half], matrix[half:, :half], matrix[half:, half:]
    invert(first)
    explained = below @ first  # (n - half, half)
    explained *= -1
    _add_product(last, explained, below)
    invert(last)  # of the Schur complement
    np.matmul(last, explained, out=below)
    _add_product(first, explained.T, below.T)
    matrix[:half, half:] = below.T


def _invert_at_once(matrix: F32) -> None:
    factor, failed = lapack.spotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    matrix[:] = lapack.spotri(factor, lower=1, overwrite_c=1)[0]
    symmetrize(matrix)


def _add_product(matrix: F32, left: F32, right: F32) -> None:
    """Add left right', known to be symmetric: compute its lower triangle, then symmetrize."""
    for start in range(0, len(matrix), N_BLOCK):
        rows, until = slice(start, start + N_BLOCK), min(start + N_BLOCK, len(matrix))
        matrix[rows, :until] += left[rows] @ right[:until].T
    symmetrize(matrix)


def symmetrize(lower: F32) -> None:
    """Copy the lower triangle onto the upper, block by block, in place."""
    for start in range(0, len(lower), N_BLOCK):
        rows = slice(start, start + N_BLOCK)
        own = np.tril(lower[rows, rows])
        lower[rows, rows] = own + np.tril(own, -1).T
        lower[rows, start + N_BLOCK :] = lower[start + N_BLOCK :, rows].T
