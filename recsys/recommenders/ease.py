"""
A linear item-item model in closed form (EASE), with track features as side information and recency weights.

The model is a ridge regression of every track on all other tracks; the observations are the rows of the user-track
matrix. Track features are additional rows, so that tracks with the same artist or tags predict each other even if few
users have played them. So are windows of consecutive plays, where the order of plays is known: tracks that are played
close together predict each other more than tracks that were played years apart. Recency weights are applied when scores
are computed, so scores follow recent listening without training again.

The closed form inverts a matrix of all pairs of tracks. A catalogue larger than `max_tracks` is solved by a regression
of each track on its neighbours instead (see `parts.neighbourhood_ridge`), in memory that grows with the catalogue.

Sources: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); side information as rows: Jeunen, Van
Balen, Goethals, Closed-Form Models for Collaborative Filtering with Side-Information (RecSys 2020); regularization by
frequency: Steck, Autoencoders that don't overfit towards the Identity (NeurIPS 2020).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from typing_extensions import override

from recsys.arrays import F32, Csr
from recsys.dataset.feature_vectors import tfidf_features
from recsys.dataset.interactions import History, Interactions
from recsys.errors import InputError
from recsys.recommenders.parts.attribution import Attribution
from recsys.recommenders.parts.confidence import confidence, mean_normalised, n_later
from recsys.recommenders.parts.item_similarity import ConfidenceScorer
from recsys.recommenders.parts.neighbourhood_ridge import neighbourhood_weights
from recsys.recommenders.parts.search_space import tunable_choice, tunable_range, tunable_recency
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Dropout, Exponent, Positive, PositiveOrZero, Recency, Settings, Share

N_BLOCK = 1024  # rows per block
N_WINDOW = 10  # consecutive plays in a window
DENSE = 24.0  # mean tracks per listener, below which `regularization` grows by a power of the shortfall
SPARSITY_EXPONENT = 1.5
N_LAPACK = 8192  # maximum number of rows of a matrix that LAPACK inverts directly


@dataclass(frozen=True)
class EASEConfig(Settings):
    """
    Settings of `EASE`.

    Attributes:
        regularization: L2 regularization of all item-item weights, > 0. Where users have fewer than 24 tracks on
            average, it is multiplied by (24 / their mean)**1.5: the less is known, the more regularization is needed.
        dropout: Rate, 0..1, of random dropout of a user's tracks in training, solved in closed form. It regularizes
            popular tracks more.
        side_weight: Weight of feature rows relative to user rows, >= 0. 0: features are not used.
        size_exponent: The norm of a track's feature vector is its summed feature weight to this power, so that tracks
            with rich tags count more. 0: always 1.
        strength_exponent: The confidence weight of an interaction is strength**strength_exponent; in training, divided
            by the user's mean. 0: all interactions have the same weight.
        listener_exponent: 0..1. In training, users are weighted by n_tracks**-listener_exponent, which down-weights
            users with many tracks.
        recency: Decay by age when scores are computed: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
        window_weight: Weight of windows of ten consecutive plays relative to user rows, >= 0. 0: windows are not used.
        max_tracks: Largest catalogue that is solved exactly. Time grows with the cube of the catalogue, memory with its
            square.
        neighbours: Maximum number of neighbours on which a track of a larger catalogue is regressed.
    """

    regularization: Positive = tunable_range(100.0, 20.0, 1000.0, log=True)
    dropout: Dropout = tunable_range(0.25, 0.0, 0.6)
    side_weight: PositiveOrZero = tunable_range(10.0, 0.5, 60.0, log=True, needs="features")
    size_exponent: Exponent = 0.25
    strength_exponent: Exponent = tunable_range(0.25, 0.0, 0.7, needs="strengths")
    listener_exponent: Share = tunable_range(0.35, 0.0, 0.7)
    recency: Recency = tunable_recency(0.5)
    rank_recency: Recency = tunable_recency(0.0)
    window_weight: PositiveOrZero = tunable_choice(0.0, (0.0, 0.3, 1.0, 3.0), needs="order")
    max_tracks: Count = 40_000
    neighbours: Count = 100


class EASE(ConfidenceScorer[EASEConfig]):
    """Score = sum of confidence weight * item-item weight over the tracks in the user's history."""

    name: ClassVar[str] = "ease"
    config_class: ClassVar[type[Any]] = EASEConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        weights = mean_normalised(confidence(interactions.liked, exponent=self.config.strength_exponent))
        is_small = len(interactions.tracks) <= self.config.max_tracks
        solve = self._exact_weights if is_small else self._sparse_weights
        rows = sp.vstack([self._scaled(weights), self._windows(interactions.liked)], format="csr")
        self._sparsity = sparsity_factor(interactions.liked)
        self._weights = solve(rows, self._tags(interactions))  # row = played track, column = scored
        self._users = self.fold_in(interactions.liked)  # (n_users, n_tracks)
        return self

    def _windows(self, history: History) -> Csr:
        """Return windows of consecutive plays as rows. CSR, shape (n_windows, n_tracks); no row if not used."""
        n_tracks = history.matrix.shape[1]
        if self.config.window_weight == 0:
            return sp.csr_matrix((0, n_tracks), dtype=np.float32)
        user = np.repeat(np.arange(len(history)), np.diff(history.matrix.indptr))
        _, window = np.unique(user * n_tracks + n_later(history) // N_WINDOW, return_inverse=True)
        weights = np.full(len(window), np.sqrt(self.config.window_weight), np.float32)
        return sp.csr_matrix((weights, (window, history.matrix.indices)), (len(np.unique(window)), n_tracks))

    def _tags(self, interactions: Interactions) -> Csr:
        """Return the features as rows. CSR, shape (n_features, n_tracks); no row if features are not used."""
        if self.config.side_weight == 0:
            return sp.csr_matrix((0, len(interactions.tracks)), dtype=np.float32)
        return tfidf_features(interactions.track_features, size_exponent=self.config.size_exponent).T.tocsr()

    def _exact_weights(self, weights: Csr, tags: Csr) -> F32:
        gram = np.zeros((weights.shape[1], weights.shape[1]), np.float32)
        add_gram(gram, weights, weight=1)
        penalties = self._penalties(gram.diagonal())
        if tags.shape[0]:
            add_gram(gram, tags, weight=self.config.side_weight)
        gram[np.diag_indices_from(gram)] += penalties
        return ease_weights(gram)

    def _sparse_weights(self, weights: Csr, tags: Csr) -> Csr:
        squares = np.asarray(weights.multiply(weights).sum(axis=0)).ravel()
        rows = sp.vstack([weights, tags * np.float32(np.sqrt(self.config.side_weight))], format="csr")
        rows.eliminate_zeros()
        with refuse_singular(rows.shape[1]):
            return neighbourhood_weights(rows, self._penalties(squares), self.config.neighbours)

    def _penalties(self, squares: F32) -> F32:
        """Return the L2 regularization of each track, from the sums of its squared interaction weights."""
        regularization, dropout = self.config.regularization * self._sparsity, self.config.dropout
        return np.asarray(regularization + dropout / (1 - dropout) * squares, np.float32)

    def _scaled(self, weights: Csr) -> Csr:
        """Down-weight users with many tracks."""
        n_liked = np.maximum(np.diff(weights.indptr), 1)
        scale = (n_liked / n_liked.mean()) ** -self.config.listener_exponent
        return (sp.diags(scale.astype(np.float32)) @ weights).tocsr()

    @override
    def score(self, states: Csr, out: F32) -> None:
        if sp.issparse(self._weights):
            (states @ self._weights).toarray(out=out)
        else:
            np.copyto(out, states @ self._weights)

    @override
    def attribution(self, history: History) -> Attribution:
        return Attribution.of_matrix(self._weights, self.fold_in(history))

    @override
    def arrays(self) -> dict[str, Any]:
        weights = arrays_of("weights", self._weights) if sp.issparse(self._weights) else {"weights": self._weights}
        return weights | arrays_of("users", self._users)

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users = matrix_of("users", arrays)
        self._weights = arrays["weights"] if "weights" in arrays else matrix_of("weights", arrays)
        if self._weights.shape[0] != self._users.shape[1]:  # saved when larger catalogues were cut off
            raise KeyError("it has weights of some tracks only")


def sparsity_factor(history: History) -> float:
    """
    Return the factor of the regularization: (DENSE / mean tracks per user)**SPARSITY_EXPONENT, or 1 if that is larger.

    >>> sparsity_factor(History(sp.csr_matrix(np.ones((5, 6))), np.zeros(30), np.zeros(30)))
    8.0
    """
    n_users, nnz = history.matrix.shape[0], history.matrix.nnz
    return float(max(1.0, DENSE * n_users / max(nnz, 1)) ** SPARSITY_EXPONENT)


def add_gram(gram: F32, rows: Csr, *, weight: float) -> None:
    """Add weight * X'X to `gram` in place, for `rows` X of shape (n_rows, n_tracks); in blocks, to bound memory."""
    by_track = rows.T.tocsr()
    for start in range(0, len(gram), N_BLOCK):
        block = slice(start, start + N_BLOCK)
        gram[block] += weight * (by_track[block] @ rows).toarray()


def ease_weights(gram: F32) -> F32:
    """
    Return the item-item weights of EASE.

    Column j is the ridge regression of track j on all other tracks: -P[i, j] / P[j, j], where P is the inverse of the
    Gram matrix; the diagonal is 0.

    Args:
        gram: Gram matrix plus regularization. Shape (n_tracks, n_tracks). Overwritten with the result.

    Raises:
        InputError: The matrix is not positive definite: the regularization is too small for single precision.
    """
    with refuse_singular(len(gram)):
        invert(gram)
    diagonal = gram.diagonal().copy()
    gram /= -diagonal
    np.fill_diagonal(gram, 0)
    return gram


@contextmanager
def refuse_singular(n_tracks: int) -> Iterator[None]:
    """Raise InputError where a Gram matrix of these tracks cannot be inverted."""
    try:
        yield
    except np.linalg.LinAlgError as failed:
        raise InputError(
            f"The Gram matrix of {n_tracks:,} tracks cannot be inverted: regularization is too small for single "
            "precision. Increase regularization in [recommenders.ease]"
        ) from failed


def invert(matrix: F32) -> None:
    """
    Invert a symmetric positive definite matrix in place. Only its lower triangle is read.

    The matrix is split into halves recursively, with the Schur complement. This takes n^3 operations, as Cholesky does,
    most of them in matrix products. LAPACK inverts at most `N_LAPACK` rows, because its Cholesky factorisation crashes
    on two threads from about 37,000 rows on.

    Raises:
        LinAlgError: The matrix is not positive definite in single precision.
    """
    if len(matrix) <= N_LAPACK:
        _invert_by_lapack(matrix)
        return
    half = len(matrix) // 2
    first, below, last = matrix[:half, :half], matrix[half:, :half], matrix[half:, half:]
    invert(first)
    product = below @ first  # (n - half, half)
    product *= -1
    _add_product(last, product, below)
    invert(last)  # now the Schur complement
    np.matmul(last, product, out=below)
    _add_product(first, product.T, below.T)
    matrix[:half, half:] = below.T


def _invert_by_lapack(matrix: F32) -> None:
    factor, failed = lapack.spotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    matrix[:] = lapack.spotri(factor, lower=1, overwrite_c=1)[0]
    symmetrize(matrix)


def _add_product(matrix: F32, left: F32, right: F32) -> None:
    """Add left @ right.T, which is symmetric, to `matrix` in place: compute the lower triangle, then symmetrize."""
    for start in range(0, len(matrix), N_BLOCK):
        rows, until = slice(start, start + N_BLOCK), min(start + N_BLOCK, len(matrix))
        matrix[rows, :until] += left[rows] @ right[:until].T
    symmetrize(matrix)


def symmetrize(lower: F32) -> None:
    """Copy the lower triangle of a matrix to its upper triangle, in place, block by block."""
    for start in range(0, len(lower), N_BLOCK):
        rows = slice(start, start + N_BLOCK)
        block = np.tril(lower[rows, rows])
        lower[rows, rows] = block + np.tril(block, -1).T
        lower[rows, start + N_BLOCK :] = lower[start + N_BLOCK :, rows].T
