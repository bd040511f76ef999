"""
Policies that learn what is liked by showing what may be: linear Thompson sampling and LinUCB, one model for everybody.

Conventions: an option is described by a vector x (see `exploration.describe`); the mean reward is taken for linear in
it. A policy answers with the probability of each option, so that whoever draws knows the dice: Thompson's is the share
of posterior draws under which an option is best, which is exact for the policy that draws from it. A part of the
probability goes to all options alike and another to the first one, so that the weights of whoever evaluates another
policy stay bounded, first of all the one that always takes the first.

Source:
    Agrawal, Goyal, Thompson Sampling for Contextual Bandits with Linear Payoffs (2013); Li, Chu, Langford, Schapire, A
    Contextual-Bandit Approach to Personalized News Article Recommendation (2010).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from typing_extensions import override

from recsys.arrays import F64, I64, Bool

N_DRAWS = 200  # of the posterior, for the shares of Thompson's options


@dataclass(frozen=True, eq=False)
class Posterior:
    """
    What is believed of the weights of a linear reward: ridge regression, kept as sums.

    Attributes:
        precision: Sum of x x' and the prior, shape (d, d).
        moment: Sum of reward times x, shape (d,).
    """

    precision: F64
    moment: F64

    @classmethod
    def prior(cls, n_features: int, strength: float = 1.0) -> Self:
        """Know nothing but that weights are about 0, as if `strength` decisions had said so of each."""
        return cls(strength * np.eye(n_features), np.zeros(n_features))

    def updated(self, features: F64, rewards: F64) -> Self:
        """Learn from decisions: what was shown, shape (n, d), and what it earned, shape (n,)."""
        return type(self)(self.precision + features.T @ features, self.moment + features.T @ rewards)

    def mean(self) -> F64:
        """Return the expected weights, shape (d,)."""
        weights: F64 = cho_solve(cho_factor(self.precision, lower=True), self.moment)
        return weights

    def deviations(self, features: F64) -> F64:
        """Return how unsure the mean reward of each option is, shape (..., d) -> (...): sqrt(x' precision^-1 x)."""
        factor = cholesky(self.precision, lower=True)
        flat = features.reshape(-1, len(self.moment))
        whitened = solve_triangular(factor, flat.T, lower=True)
        lengths: F64 = np.sqrt((whitened**2).sum(axis=0)).reshape(features.shape[:-1])
        return lengths

    def drawn(self, n: int, scale: float, rng: np.random.Generator) -> F64:
        """Draw weights from N(mean, scale^2 precision^-1), shape (n, d)."""
        factor = cholesky(self.precision, lower=True)
        noise = solve_triangular(factor, rng.standard_normal((len(self.moment), n)), trans="T", lower=True)
        weights: F64 = self.mean() + scale * noise.T
        return weights


@dataclass(frozen=True)
class Policy(ABC):
    """
    How options are chosen.

    Attributes:
        floor: Probability kept for choosing any of them alike, 0..1.
        own: Probability kept for the first of them, what would have been chosen without dice, 0..1: so that it is
            chosen often enough to be compared with.
    """

    floor: float = 0.02
    own: float = 0.05

    def probabilities(self, posterior: Posterior, options: F64, rng: np.random.Generator) -> F64:
        """
        Return the probability of each option, rows of sum 1.

        Args:
            posterior: What is believed.
            options: Shape (n_contexts, n_options, d); an option of NaN does not exist, and has probability 0.
            rng: For policies that roll dice to find them.
        """
        exists = ~np.isnan(options[:, :, 0])
        first = exists & (exists.cumsum(axis=1) == 1)
        alike = exists / np.maximum(exists.sum(axis=1, keepdims=True), 1)
        preferred = self._preferred(posterior, np.nan_to_num(options), exists, rng)
        chances: F64 = (1 - self.floor - self.own) * preferred + self.floor * alike + self.own * first
        return chances

    @abstractmethod
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        """Return the probabilities before the floor."""


@dataclass(frozen=True)
class Greedy(Policy):
    """Always what is believed best."""

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean(), exists)


@dataclass(frozen=True)
class LinUCB(Policy):
    """What could be best: the mean and `width` times its uncertainty."""

    width: float = 0.5

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean() + self.width * posterior.deviations(options), exists)


@dataclass(frozen=True)
class Thompson(Policy):
    """Each option as often as it may be the best; `scale` is the noise of a reward."""

    scale: float = 0.3

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        preferred = np.zeros(exists.shape)
        for weights in posterior.drawn(N_DRAWS, self.scale, rng):
            preferred += _best(options @ weights, exists)
        return preferred / N_DRAWS


def choose(probabilities: F64, rng: np.random.Generator) -> I64:
    """Draw an option of each row with these probabilities, shape (n,)."""
    dice = rng.random((len(probabilities), 1))
    chosen: I64 = (probabilities.cumsum(axis=1)[:, :-1] <= dice).sum(axis=1)
    return chosen


def _best(values: F64, exists: Bool) -> F64:
    """1 at the best option that exists, the first among equals; 0 elsewhere. Shape (n_contexts, n_options)."""
    allowed = np.where(exists, values, -np.inf)
    chosen = np.zeros(values.shape)
    chosen[np.arange(len(values)), allowed.argmax(axis=1)] = exists.any(axis=1)
    return chosen
