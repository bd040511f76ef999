"""
Bayesian personalised ranking (BPR): matrix factorisation trained to rank a liked track above a sampled negative.

Trained by mini-batch Adagrad on one thread, so that the same seed gives identical results. Negatives are sampled by
popularity, because uniform sampling mostly gives unpopular tracks that are already ranked low. User vectors are
computed from the history (see `recommenders.parts.fold_in`).

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
from recsys.recommenders.parts.fold_in import FoldInScorer
from recsys.recommenders.parts.search_space import tunable_range, tunable_recency
from recsys.recommenders.scorer import Validation
from recsys.settings import Count, Exponent, Positive, PositiveOrZero, Recency, Seed, Settings

# Initial accumulator of Adagrad. With 0, the first step would have the size of the learning rate for any gradient.
INITIAL_SQUARE = 0.01


@dataclass(frozen=True)
class BPRConfig(Settings):
    """
    Settings of `BPR`.

    Attributes:
        factors: Dimensions of user and track vectors.
        epochs: Passes over all user-track pairs.
        batch_size: Pairs per gradient step.
        learning_rate: Learning rate of Adagrad.
        regularization: L2 regularization of the vectors, >= 0.
        popularity_exponent: Negatives are sampled in proportion to n_listeners**popularity_exponent. 0: uniformly.
        recency: Decay by age in user vectors: weight (1 + age / 30 days)**-recency. 0: no decay.
        rank_recency: The same by order: weight (1 + n / 30)**-rank_recency, n being the user's later tracks.
        seed: Seed of the initial vectors and of all sampling.
    """

    factors: Count = 64
    epochs: Count = 20
    batch_size: Count = 1024
    learning_rate: Positive = tunable_range(0.1, 0.02, 0.5, log=True)
    regularization: PositiveOrZero = tunable_range(0.03, 0.003, 0.1, log=True)
    popularity_exponent: Exponent = tunable_range(0.5, 0.0, 1.0)
    recency: Recency = tunable_recency(1.0)
    rank_recency: Recency = tunable_recency(0.0)
    seed: Seed = 7


class BPR(FoldInScorer[BPRConfig]):
    """Score = inner product of user vector and track vector, plus the track's bias."""

    name: ClassVar[str] = "bpr"
    config_class: ClassVar[type[Any]] = BPRConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        rng = np.random.default_rng(self.config.seed)
        n_users, n_tracks = interactions.matrix.shape
        users = AdagradVectors.start(n_users, self.config.factors, rng, last_column=1)
        tracks = AdagradVectors.start(n_tracks, self.config.factors, rng, last_column=0)
        for _ in range(self.config.epochs):
            for user, liked, negative in self._batches(interactions.matrix, rng):
                self._step(users, tracks, user, liked, negative)
        self.set_vectors(tracks.vectors, users.vectors[:, :-1], interactions.liked)
        return self

    def _batches(self, matrix: Csr, rng: np.random.Generator) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Yield batches of (user, liked track, negative). A pair is left out if its sampled negative is also liked."""
        n_users, n_tracks = matrix.shape
        user, liked = np.repeat(np.arange(n_users), np.diff(matrix.indptr)), matrix.indices.astype(np.int64)
        pairs = user * n_tracks + liked  # sorted
        bounds = np.cumsum(np.bincount(liked, minlength=n_tracks) ** self.config.popularity_exponent)
        negative = np.searchsorted(bounds, rng.random(len(pairs)) * bounds[-1], side="right")
        order = rng.permutation(len(pairs))
        negative_pairs = user[order] * n_tracks + negative
        kept = pairs[np.searchsorted(pairs[:-1], negative_pairs)] != negative_pairs
        order, negative = order[kept], negative[kept]
        for start in range(0, len(order), self.config.batch_size):
            batch = order[start : start + self.config.batch_size]
            yield user[batch], liked[batch], negative[start : start + self.config.batch_size]

    def _step(self, users: "AdagradVectors", tracks: "AdagradVectors", user: Rows, liked: Rows, negative: Rows) -> None:
        """Take one gradient ascent step on the log-likelihood of the batch: section 4 of Rendle et al."""
        of_user, of_liked, of_negative = users.vectors[user], tracks.vectors[liked], tracks.vectors[negative]
        difference = of_liked - of_negative  # (B,F+1)
        error = expit(-(of_user * difference).sum(axis=1, keepdims=True))  # (B,1): probability of the wrong order
        penalty = self.config.regularization
        user_gradients = error * difference - penalty * of_user
        user_gradients[:, -1] = 0  # the constant 1 that multiplies the tracks' bias
        gradients = np.concatenate([error * of_user - penalty * of_liked, -error * of_user - penalty * of_negative])
        users.ascend(user, user_gradients, self.config.learning_rate)
        tracks.ascend(np.concatenate([liked, negative]), gradients, self.config.learning_rate)

    @override
    def user_weights(self, history: History) -> Csr:
        return confidence(history, exponent=0, recency=self.config.recency, rank_recency=self.config.rank_recency)


@dataclass(frozen=True, eq=False)
class AdagradVectors:
    """
    The vectors of all users or of all tracks, with the state of their Adagrad optimiser.

    Attributes:
        vectors: Shape (n_rows, factors + 1), float32. The last column is a track's bias; for users it is 1.
        squares: Accumulated squared gradients, same shape.
    """

    vectors: F32
    squares: F32

    @classmethod
    def start(cls, n_rows: int, factors: int, rng: np.random.Generator, *, last_column: float) -> Self:
        """Draw Gaussian vectors with expected norm about 1, and append a constant column."""
        initial = rng.standard_normal((n_rows, factors), np.float32) / np.float32(np.sqrt(factors))
        vectors = np.column_stack([initial, np.full(n_rows, last_column, np.float32)])
        return cls(vectors, np.full_like(vectors, INITIAL_SQUARE))

    def ascend(self, rows: Rows, gradients: F32, learning_rate: float) -> None:
        """Take one Adagrad step. Gradients of a row that occurs several times in the batch are summed."""
        unique, position = np.unique(rows, return_inverse=True)
        ones = np.ones(len(rows), np.float32)
        sums = sp.csr_matrix((ones, (position, np.arange(len(rows)))), (len(unique), len(rows))) @ gradients
        self.squares[unique] += sums**2
        self.vectors[unique] += learning_rate * sums / np.sqrt(self.squares[unique])
