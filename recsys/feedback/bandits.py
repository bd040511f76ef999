"""
Contextual bandit policies: linear Thompson sampling and LinUCB, with one model for all listeners.

Conventions: an option has a feature vector x (see `exploration.describe_options`), and the expected reward is linear in
x. A policy returns the probability of each option, and the caller draws from it, so that logged propensities are exact;
for Thompson sampling, this is the share of posterior draws in which the option is best. Part of the probability is
spread evenly over all options and part goes to the first option. This bounds the importance weights of later off-policy
evaluation, above all of the policy that always takes the first option.

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
    Posterior of the weights of a linear reward model: Bayesian ridge regression, stored as sums.

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

    def deviations(self, features: F64) -> F64:
        """Return the uncertainty of each option's expected reward, sqrt(x' precision^-1 x): shape (..., d) -> (...)."""
        factor = cholesky(self.precision, lower=True)
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
        floor: Probability that is spread evenly over all options, 0..1.
        own: Extra probability of the first option, the one that would be shown without exploration, 0..1. It makes
            sure that this baseline is chosen often enough to be evaluated.
    """

    floor: float = 0.02
    own: float = 0.05

    def probabilities(self, posterior: Posterior, options: F64, rng: np.random.Generator) -> F64:
        """
        Return the probability of each option, shape (n_contexts, n_options); rows sum to 1, or to 0 without options.

        Args:
            posterior: The reward model.
            options: Feature vectors, shape (n_contexts, n_options, d); NaN stands for no option, with probability 0.
            rng: Random generator, for policies that sample from the posterior.
        """
        exists = ~np.isnan(options[:, :, 0])
        first = exists & (exists.cumsum(axis=1) == 1)
        even = exists / np.maximum(exists.sum(axis=1, keepdims=True), 1)
        preferred = self._preferred(posterior, np.nan_to_num(options), exists, rng)
        probabilities: F64 = (1 - self.floor - self.own) * preferred + self.floor * even + self.own * first
        return probabilities

    @abstractmethod
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        """Return the policy's own probabilities, without `floor` and `own`."""


@dataclass(frozen=True)
class Greedy(Policy):
    """Always choose the option of highest expected reward."""

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean(), exists)


@dataclass(frozen=True)
class LinUCB(Policy):
    """Choose the option of highest upper confidence bound: expected reward plus `width` times its uncertainty."""

    width: float = 0.5

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        return _best(options @ posterior.mean() + self.width * posterior.deviations(options), exists)


@dataclass(frozen=True)
class Thompson(Policy):
    """Choose each option with the posterior probability that it is best; `scale` is the noise of a reward."""

    scale: float = 0.3

    @override
    def _preferred(self, posterior: Posterior, options: F64, exists: Bool, rng: np.random.Generator) -> F64:
        preferred = np.zeros(exists.shape)
        for weights in posterior.sample(N_DRAWS, self.scale, rng):
            preferred += _best(options @ weights, exists)
        return preferred / N_DRAWS


def choose(probabilities: F64, rng: np.random.Generator) -> I64:
    """Draw one option per row with these probabilities, shape (n_rows, n_options) -> (n_rows,)."""
    uniform = rng.random((len(probabilities), 1))
    chosen: I64 = (probabilities.cumsum(axis=1)[:, :-1] <= uniform).sum(axis=1)
    return chosen


def _best(values: F64, exists: Bool) -> F64:
    """Return 1 for the best existing option, the first of equals, and 0 elsewhere: shape (n_contexts, n_options)."""
    allowed = np.where(exists, values, -np.inf)
    chosen = np.zeros(values.shape)
    chosen[np.arange(len(values)), allowed.argmax(axis=1)] = exists.any(axis=1)
    return chosen
