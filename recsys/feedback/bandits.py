"""
Contextual bandit policies: linear Thompson sampling and LinUCB, with one reward model for all listeners.

Conventions: an option has a feature vector x (see `exploration.describe_options`), and the expected reward is linear in
x. A policy returns the probability of each option, and the caller draws one option from these probabilities. The logged
propensities are therefore exact. For Thompson sampling, the probability is the share of posterior draws in which the
option is the best. Every policy also spreads some probability evenly over all options and gives some to the first
option. This bounds the importance weights in later off-policy evaluation.

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

N_DRAWS = 200  # posterior draws from which Thompson sampling estimates probabilities


@dataclass(frozen=True, eq=False)
class Posterior:
    """
    Posterior of the weights of a linear reward model (Bayesian ridge regression), stored as sums over decisions.

    Attributes:
        precision: Prior precision plus the sum of x x' over all decisions, shape (d, d).
        moment: Sum of reward times x over all decisions, shape (d,).
    """

    precision: F64
    moment: F64

    @classmethod
    def prior(cls, n_features: int, strength: float = 1.0) -> Self:
        """Return a Gaussian prior with mean 0, worth `strength` pseudo-observations per feature."""
        return cls(strength * np.eye(n_features), np.zeros(n_features))

    def updated(self, features: F64, rewards: F64) -> Self:
        """Return the posterior after n decisions: features of the chosen options, (n, d), and their rewards, (n,)."""
        return type(self)(self.precision + features.T @ features, self.moment + features.T @ rewards)

    def mean(self) -> F64:
        """Return the posterior mean of the weights, shape (d,)."""
        weights: F64 = cho_solve(cho_factor(self.precision, lower=True), self.moment)
        return weights

    def std(self, features: F64) -> F64:
        """Return the standard deviation of each option's expected reward, shape (..., d) -> (...)."""
        factor = cholesky(self.precision, lower=True)  # std is sqrt(x' precision^-1 x)
        flat = features.reshape(-1, len(self.moment))
        whitened = solve_triangular(factor, flat.T, lower=True)
        lengths: F64 = np.sqrt((whitened**2).sum(axis=0)).reshape(features.shape[:-1])
        return lengths

    def sample(self, n: int, scale: float, rng: np.random.Generator) -> F64:
        """Draw n weight vectors from N(mean, scale^2 precision^-1), shape (n, d)."""
        factor = cholesky(self.precision, lower=True)
        noise = solve_triangular(factor, rng.standard_normal((len(self.moment), n)), trans="T", lower=True)
        weights: F64 = self.mean() + scale * noise.T
        return weights


@dataclass(frozen=True)
class Policy(ABC):
    """
    A policy: it assigns a probability to each option.

    Attributes:
        uniform_probability: Probability that is spread evenly over all options, 0..1.
        baseline_probability: Probability that is added to the first option, 0..1. The first option is the one that
            would be shown without exploration; with this addition it is chosen often enough to be evaluated.
    """

    uniform_probability: float = 0.02
    baseline_probability: float = 0.05

    def probabilities(self, posterior: Posterior, options: F64, rng: np.random.Generator) -> F64:
        """
        Return the probability of each option, shape (n_contexts, n_options); rows sum to 1, or to 0 without options.

        Args:
            posterior: The reward model.
            options: Feature vectors, shape (n_contexts, n_options, d); a row of NaN is padding and gets probability 0.
            rng: Random generator, for policies that sample from the posterior.
        """
        exists = ~np.isnan(options[:, :, 0])
        first = exists & (exists.cumsum(axis=1) == 1)
        even = exists / np.maximum(exists.sum(axis=1, keepdims=True), 1)
        preferred = self._preferred(posterior, np.nan_to_num(options), exists, rng)
        uniform, baseline = self.uniform_probability, self.baseline_probability
        probabilities: F64 = (1 - uniform - baseline) * preferred + uniform * even + baseline * first
        return probabilities

    @abstractmethod
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        """Return the probabilities before the uniform and the baseline probability are mixed in."""


@dataclass(frozen=True)
class Greedy(Policy):
    """Prefer the option with the highest expected reward."""

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean(), exists)


@dataclass(frozen=True)
class LinUCB(Policy):
    """Prefer the option with the highest upper confidence bound: expected reward plus `width` times its std."""

    width: float = 0.5

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean() + self.width * posterior.std(options), exists)


@dataclass(frozen=True)
class Thompson(Policy):
    """Prefer each option with the probability that it is the best; `scale` is the std of the reward noise."""

    scale: float = 0.3

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        preferred = np.zeros(exists.shape)
        for weights in posterior.sample(N_DRAWS, self.scale, rng):
            preferred += _best(options @ weights, exists)
        return preferred / N_DRAWS


def choose(probabilities: F64, rng: np.random.Generator) -> I64:
    """Draw one option per row of a matrix of probabilities: (n_rows, n_options) -> (n_rows,)."""
    uniform = rng.random((len(probabilities), 1))
    chosen: I64 = (probabilities.cumsum(axis=1)[:, :-1] <= uniform).sum(axis=1)
    return chosen


def _best(values: F64, exists: Bool) -> F64:
    """Return 1 for the best existing option of each row (the first if several are equal), 0 for all others."""
    chosen = np.zeros(values.shape)
    if values.size:
        allowed = np.where(exists, values, -np.inf)
        chosen[np.arange(len(values)), allowed.argmax(axis=1)] = exists.any(axis=1)
    return chosen
