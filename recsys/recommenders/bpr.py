"""
Bayesian personalised ranking (BPR): matrix factorisation that ranks a liked track above a sampled negative.

Mini-batch Adagrad on one thread, so that the same seed gives the same bits. Negatives are sampled by popularity: few
informative ones are left among the other tracks. User vectors come from the history (see `recommenders.parts.fold_in`).

Sources: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, BPR: Bayesian Personalized Ranking from Implicit Feedback
(UAI 2009); Duchi, Hazan, Singer, Adaptive Subgradient Methods for Online Learning (JMLR 2011).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.special import expit
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.confidence import confidence
from recsys.recommenders.parts.fold_in import FoldedVectors
from recsys.recommenders.parts.search_space import tunable_range
from recsys.recommenders.scorer import Validation

FIRST_SQUARE = (
    0.01  # initial accumulator of Adagrad: without it the first step would be the largest, whatever the gradient
)


@dataclass(frozen=True)
class BPRConfig:
    """
    Settings of `BPR`.

    Attributes:
        factors: Length of a user's and a track's vector.
        epochs: Passes over the pairs.
        batch_size: Pairs per step.
        learning_rate: Initial step of Adagrad.
        regularization: L2 regularisation of the vectors, >= 0.
        popularity_exponent: Negatives are drawn in proportion to listeners**popularity_exponent; 0: uniformly.
        recency: Decay of a like by its age in a user's vector: it weighs (1 + age / 30 days)^-recency.
        seed: Of the initial vectors and of all sampling.
    """

    factors: int = 64
    epochs: int = 20
    batch_size: int = 1024
    learning_rate: float = tunable_range(0.1, 0.02, 0.5, log=True)
    regularization: float = tunable_range(0.03, 0.003, 0.1, log=True)
    popularity_exponent: float = tunable_range(0.5, 0.0, 1.0)
    recency: float = tunable_range(1.0, 0.0, 2.0)
    seed: int = 7


class BPR(FoldedVectors[BPRConfig]):
    """Score of a track: inner product of the user's and the track's vectors, plus the track's bias."""

    name: ClassVar[str] = "bpr"
    config_class: ClassVar[type[Any]] = BPRConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        rng = np.random.default_rng(self.config.seed)
        n_users, n_tracks = interactions.matrix.shape
        users = Side.start(n_users, self.config.factors, rng, last=1)
        tracks = Side.start(n_tracks, self.config.factors, rng, last=0)
        for _ in range(self.config.epochs):
            for user, liked, other in self._batches(interactions.matrix, rng):
                self._step(users, tracks, user, liked, other)
        self.set_vectors(tracks.vectors, users.vectors[:, :-1], interactions.liked)
        return self

    def _batches(self, matrix: Csr, rng: np.random.Generator) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Yield batches of user, liked track and negative; every pair once, except where its negative is liked too."""
        n_users, n_tracks = matrix.shape
        user, liked = np.repeat(np.arange(n_users), np.diff(matrix.indptr)), matrix.indices.astype(np.int64)
        pairs = user * n_tracks + liked  # sorted
        bounds = np.cumsum(np.bincount(liked, minlength=n_tracks) ** self.config.popularity_exponent)
        other = np.searchsorted(bounds, rng.random(len(pairs)) * bounds[-1], side="right")
        order = rng.permutation(len(pairs))
        negatives = user[order] * n_tracks + other
        kept = pairs[np.searchsorted(pairs[:-1], negatives)] != negatives
        order, other = order[kept], other[kept]
        for start in range(0, len(order), self.config.batch_size):
            batch = order[start : start + self.config.batch_size]
            yield user[batch], liked[batch], other[start : start + self.config.batch_size]

    def _step(self, users: "Side", tracks: "Side", user: Rows, liked: Rows, other: Rows) -> None:
        """Take one ascent step on the log-likelihood of the batch: section 4 of the first source."""
        of_user, of_liked, of_other = users.vectors[user], tracks.vectors[liked], tracks.vectors[other]
        difference = of_liked - of_other  # (B,F+1)
        error = expit(-(of_user * difference).sum(axis=1, keepdims=True))  # (B,1): probability of the wrong order
        penalty = self.config.regularization
        of_users = error * difference - penalty * of_user
        of_users[:, -1] = 0  # the constant 1 that multiplies the tracks' bias
        of_tracks = np.concatenate([error * of_user - penalty * of_liked, -error * of_user - penalty * of_other])
        users.ascend(user, of_users, self.config.learning_rate)
        tracks.ascend(np.concatenate([liked, other]), of_tracks, self.config.learning_rate)

    @override
    def user_weights(self, history: History) -> Csr:
        return confidence(history, exponent=0, recency=self.config.recency)


@dataclass(frozen=True, eq=False)
class Side:
    """
    Parameters of the users or of the tracks, and the state of their optimiser.

    Attributes:
        vectors: Shape (n_rows, factors + 1), float32; the last is a track's bias, and 1 for a user.
        squares: Sum of the squared gradients so far, same shape.
    """

    vectors: F32
    squares: F32

    @classmethod
    def start(cls, n_rows: int, factors: int, rng: np.random.Generator, *, last: float) -> Self:
        """Draw vectors of length about 1 and append `last`."""
        drawn = rng.standard_normal((n_rows, factors), np.float32) / np.float32(np.sqrt(factors))
        vectors = np.column_stack([drawn, np.full(n_rows, last, np.float32)])
        return cls(vectors, np.full_like(vectors, FIRST_SQUARE))

    def ascend(self, rows: Rows, gradients: F32, learning_rate: float) -> None:
        """Take one step; gradients of a row that occurs twice in the batch are summed."""
        unique, place = np.unique(rows, return_inverse=True)
        ones = np.ones(len(rows), np.float32)
        sums = sp.csr_matrix((ones, (place, np.arange(len(rows)))), (len(unique), len(rows))) @ gradients
        self.squares[unique] += sums**2
        self.vectors[unique] += learning_rate * sums / np.sqrt(self.squares[unique])
