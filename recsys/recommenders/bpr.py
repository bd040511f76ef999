"""
Matrix factorisation trained to rank: a track that a listener likes above one drawn from all that they do not.

Steps are taken a batch at a time by Adagrad, on one thread, so that the same seed gives the same bits; tracks liked by
many are drawn more often, for few mistakes are left among the others. A listener is read from their history (see
`recommenders.parts.fold_in`).

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
from recsys.recommenders.parts.confidence import weighed
from recsys.recommenders.parts.fold_in import FoldedVectors
from recsys.recommenders.parts.search_space import searched

FIRST_SQUARE = 0.01  # that Adagrad starts from: without it the first step would be the largest, whatever the gradient


@dataclass(frozen=True)
class BPRConfig:
    """
    Settings of `BPR`.

    Attributes:
        factors: Dimensions of a taste.
        epochs: Passes over the pairs.
        batch_size: Pairs a step.
        learning_rate: First step of Adagrad.
        regularization: Pull of the vectors towards zero, >= 0.
        popularity_exponent: A track is drawn in proportion to its listeners**this; 0: all alike.
        recency: How fast a track liked long ago loses weight in a listener's taste: (1 + age / 30 days)^-recency.
        seed: Of the start and of all draws.
    """

    factors: int = 64
    epochs: int = 20
    batch_size: int = 1024
    learning_rate: float = searched(0.1, 0.02, 0.5, log=True)
    regularization: float = searched(0.03, 0.003, 0.1, log=True)
    popularity_exponent: float = searched(0.5, 0.0, 1.0)
    recency: float = searched(1.0, 0.0, 2.0)
    seed: int = 7


class BPR(FoldedVectors[BPRConfig]):
    """Score of a track: inner product of the listener's and the track's vectors, plus the track's bias."""

    name: ClassVar[str] = "bpr"
    config_class: ClassVar[type[Any]] = BPRConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        rng = np.random.default_rng(self.config.seed)
        n_users, n_tracks = taste.matrix.shape
        users = Side.start(n_users, self.config.factors, rng, last=1)
        tracks = Side.start(n_tracks, self.config.factors, rng, last=0)
        for _ in range(self.config.epochs):
            for user, liked, other in self._drawn(taste.matrix, rng):
                self._step(users, tracks, user, liked, other)
        self._settle(tracks.vectors, users.vectors[:, :-1], taste.liked)

    def _drawn(self, matrix: Csr, rng: np.random.Generator) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Draw every pair once, with a track that its listener does not like; batches of users, liked, others."""
        n_users, n_tracks = matrix.shape
        user, liked = np.repeat(np.arange(n_users), np.diff(matrix.indptr)), matrix.indices.astype(np.int64)
        pairs = user * n_tracks + liked  # sorted
        bounds = np.cumsum(np.bincount(liked, minlength=n_tracks) ** self.config.popularity_exponent)
        other = np.searchsorted(bounds, rng.random(len(pairs)) * bounds[-1], side="right")
        order = rng.permutation(len(pairs))
        asked = user[order] * n_tracks + other
        kept = pairs[np.searchsorted(pairs[:-1], asked)] != asked
        order, other = order[kept], other[kept]
        for start in range(0, len(order), self.config.batch_size):
            batch = order[start : start + self.config.batch_size]
            yield user[batch], liked[batch], other[start : start + self.config.batch_size]

    def _step(self, users: "Side", tracks: "Side", user: Rows, liked: Rows, other: Rows) -> None:
        """Ascend the log-likelihood of the batch: section 4 of the first source."""
        of_user, of_liked, of_other = users.vectors[user], tracks.vectors[liked], tracks.vectors[other]
        ahead = of_liked - of_other  # (B,F+1)
        wrong = expit(-(of_user * ahead).sum(axis=1, keepdims=True))  # (B,1): how far the batch is from right
        pull = self.config.regularization
        to_user = wrong * ahead - pull * of_user
        to_user[:, -1] = 0  # against which the tracks' bias counts: it stays 1
        to_tracks = np.concatenate([wrong * of_user - pull * of_liked, -wrong * of_user - pull * of_other])
        users.move(user, to_user, self.config.learning_rate)
        tracks.move(np.concatenate([liked, other]), to_tracks, self.config.learning_rate)

    @override
    def _weights(self, history: History) -> Csr:
        return weighed(history, exponent=0, recency=self.config.recency)


@dataclass(frozen=True, eq=False)
class Side:
    """
    What is learned of listeners or of tracks.

    Attributes:
        vectors: Shape (n_rows, factors + 1), float32; the last is a track's bias, and 1 for a listener.
        squares: Sum of the squared gradients so far, of the same shape.
    """

    vectors: F32
    squares: F32

    @classmethod
    def start(cls, n_rows: int, factors: int, rng: np.random.Generator, *, last: float) -> Self:
        """Draw vectors of length about 1, and put `last` behind them."""
        drawn = rng.standard_normal((n_rows, factors), np.float32) / np.float32(np.sqrt(factors))
        vectors = np.column_stack([drawn, np.full(n_rows, last, np.float32)])
        return cls(vectors, np.full_like(vectors, FIRST_SQUARE))

    def move(self, rows: Rows, gradients: F32, learning_rate: float) -> None:
        """Take one step; a row that stands in the batch twice moves by the sum."""
        unique, place = np.unique(rows, return_inverse=True)
        ones = np.ones(len(rows), np.float32)
        sums = sp.csr_matrix((ones, (place, np.arange(len(rows)))), (len(unique), len(rows))) @ gradients
        self.squares[unique] += sums**2
        self.vectors[unique] += learning_rate * sums / np.sqrt(self.squares[unique])
