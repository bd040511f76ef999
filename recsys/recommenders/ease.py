"""
A linear item-item model in closed form, with what is known of tracks as further evidence and with a sense of time.

Each listener is a weighted row of the tracks they like; the model is the ridge regression of every track on all others,
with no track explaining itself. Features of tracks stand under the listeners as further rows, so that two tracks
with the same artist or tags lean on each other even where few have played them. Listeners are read by what they like
*lately*: recent tracks weigh more when scores are made, so the answer moves with the listener and nothing is refitted.

Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); side information as rows: Jeunen, Van
Balen, Goethals, Closed-Form Models for Collaborative Filtering with Side-Information (RecSys 2020); regularisation by
frequency: Steck, Autoencoders that don't overfit towards the Identity (NeurIPS 2020).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.feature_vectors import tag_vectors
from recsys.dataset.interactions import History, Interactions
from recsys.errors import InputError
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.attribution import Kinship
from recsys.recommenders.parts.confidence import of_mean, weighed
from recsys.recommenders.parts.search_space import searched
from recsys.recommenders.parts.sparse import arrays_of, matrix_of

N_BLOCK = 1024  # rows at a time
N_LAPACK = 8192  # rows of a matrix that LAPACK inverts at once

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EASEConfig:
    """
    Settings of `EASE`.

    Attributes:
        regularization: Pull of all coefficients towards zero, > 0.
        dropout: Share of a listener's tracks that the model must do without, 0..1: pulls harder where a track is played
            more.
        side_weight: What features weigh beside listeners, >= 0; 0: no features.
        strength_exponent: 0 counts every liked track the same, 1 by its strength; of a listener's mean strength.
        listener_exponent: How much less each track of a listener with many weighs in training, 0..1.
        recency: How fast a track liked long ago loses weight when scores are made: (1 + age / 30 days)^-recency.
        max_tracks: So many of the most liked tracks are modelled, exactly; the others score 0. Time grows with the
            cube, memory with the square.
    """

    regularization: float = searched(100.0, 20.0, 1000.0, log=True)
    dropout: float = searched(0.25, 0.0, 0.6)
    side_weight: float = searched(10.0, 0.5, 60.0, log=True)
    strength_exponent: float = searched(0.25, 0.0, 0.7)
    listener_exponent: float = searched(0.35, 0.0, 0.7)
    recency: float = searched(0.5, 0.0, 1.0)
    max_tracks: int = 40_000


class EASE(Recommender[EASEConfig]):
    """Score of a track: sum over the listener's tracks of weight times coefficient."""

    name: ClassVar[str] = "ease"
    config_class: ClassVar[type[Any]] = EASEConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        self._modelled = self._most_liked(taste)  # sorted track rows, shape (n_modelled,)
        learned = of_mean(weighed(taste.liked, exponent=self.config.strength_exponent))[:, self._modelled]
        gram = np.zeros((len(self._modelled), len(self._modelled)), np.float32)
        add_gram(gram, self._scaled(learned), weight=1)
        own = gram.diagonal().copy()
        if self.config.side_weight > 0:
            tags = tag_vectors(taste.track_features)[self._modelled]
            add_gram(gram, tags.T.tocsr(), weight=self.config.side_weight)
        dropout = self.config.dropout
        gram[np.diag_indices_from(gram)] += self.config.regularization + dropout / (1 - dropout) * own
        self._coefficients = regressions(gram)  # (n_modelled, n_modelled): row the played track, column the scored one
        self._users = self._folded(taste.liked)  # (n_users, n_tracks)

    def _most_liked(self, taste: Interactions) -> Rows:
        likes = np.bincount(taste.matrix.indices, minlength=len(taste.tracks))
        if len(likes) > self.config.max_tracks:
            log.warning("ease models the %d most liked of %d tracks exactly", self.config.max_tracks, len(likes))
        return np.sort(np.argsort(-likes, kind="stable")[: self.config.max_tracks])

    def _scaled(self, learned: Csr) -> Csr:
        """Make each track of a listener with many weigh less."""
        n_liked = np.maximum(np.diff(learned.indptr), 1)
        scale = (n_liked / n_liked.mean()) ** -self.config.listener_exponent
        return (sp.diags(scale.astype(np.float32)) @ learned).tocsr()

    @override
    def _folded(self, history: History) -> Csr:
        return weighed(history, exponent=self.config.strength_exponent, recency=self.config.recency)

    @override
    def _states(self, rows: Rows) -> Csr:
        return self._users[rows]

    @override
    def _score(self, states: Csr, out: F32) -> None:
        if len(self._modelled) == len(self.tracks):
            np.copyto(out, states @ self._coefficients)
        else:
            out.fill(0)
            out[:, self._modelled] = states[:, self._modelled] @ self._coefficients

    @override
    def _kinship(self, history: History) -> Kinship:
        coefficients, modelled = self._coefficients, self._modelled
        place = np.zeros(len(self.tracks), np.int64)
        place[modelled] = np.arange(len(modelled))
        known = np.isin(np.arange(len(self.tracks)), modelled)

        def kin(asked: Rows, played: Rows) -> F32:
            found: F32 = coefficients[place[played][:, None, :], place[asked][:, :, None]]
            return np.where(known[played][:, None, :] & known[asked][:, :, None], found, 0)

        return Kinship(kin, self._folded(history))

    @override
    def _arrays(self) -> dict[str, Any]:
        users = arrays_of("users", self._users)
        return {"modelled": self._modelled, "coefficients": self._coefficients, **users}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._modelled, self._coefficients = arrays["modelled"], arrays["coefficients"]
        self._users = matrix_of("users", arrays)


def add_gram(gram: F32, rows: Csr, *, weight: float) -> None:
    """Add weight * rows' rows, rows of shape (n_rows, n_tracks), in blocks: at once it would not fit into memory."""
    by_track = rows.T.tocsr()
    for start in range(0, len(gram), N_BLOCK):
        block = slice(start, start + N_BLOCK)
        gram[block] += weight * (by_track[block] @ rows).toarray()


def regressions(gram: F32) -> F32:
    """
    Return the coefficients with which all other columns explain each, from a regularised Gram matrix; uses it up.

    Column j holds the ridge regression of track j on the others: -P[i, j] / P[j, j] with P the inverse, 0 for itself.

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
    Put the inverse in place of a symmetric, positive definite matrix, of which the lower triangle counts.

    Half by half, by the Schur complement: n^3 operations, as by Cholesky's factor, and most of them in plain products.
    LAPACK gets matrices of `N_LAPACK` rows at most: its own factorisation crashes on two threads from about 37,000 on.

    Raises:
        LinAlgError: It is not positive definite in single precision.
    """
    if len(matrix) <= N_LAPACK:
        _invert_at_once(matrix)
        return
    half = len(matrix) // 2
    first, below, last = matrix[:half, :half], matrix[half:, :half], matrix[half:, half:]
    invert(first)
    explained = below @ first  # (n - half, half): the last rows by the first
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
    mirror(matrix)


def _add_product(matrix: F32, left: F32, right: F32) -> None:
    """Add left right', of which is known that it is symmetric: its lower triangle, then the mirror of it."""
    for start in range(0, len(matrix), N_BLOCK):
        rows, until = slice(start, start + N_BLOCK), min(start + N_BLOCK, len(matrix))
        matrix[rows, :until] += left[rows] @ right[:until].T
    mirror(matrix)


def mirror(lower: F32) -> None:
    """Copy the lower triangle onto the upper, block by block, in place."""
    for start in range(0, len(lower), N_BLOCK):
        rows = slice(start, start + N_BLOCK)
        own = np.tril(lower[rows, rows])
        lower[rows, rows] = own + np.tril(own, -1).T
        lower[rows, start + N_BLOCK :] = lower[start + N_BLOCK :, rows].T
