"""
Simulated decisions with known like probabilities, for tests and benchmarks of bandits and off-policy evaluation.

The probability that a listener likes an option is linear in its features, clipped to 0..1. Since it is known, the true
value of any policy can be computed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import scipy.special

from recsys.arrays import F64, I64
from recsys.feedback.bandits import choose

KINDS = ("usual", "new", "cold", "tail", "foreign", "cover", "live", "old")  # kinds of track
LIKE_PROBABILITY_BY_KIND = np.array([0.30, 0.45, 0.15, 0.20, 0.10, 0.05, 0.12, 0.25])
RELEVANCE_EFFECT = 0.1  # added to the probability of the most relevant option
DISTANCE_EFFECT = 0.2  # subtracted at the maximum distance from the listener's preference
USUAL_SHARE = 0.6  # share of the usual kind among options
N_FEATURES = 2 + len(KINDS)  # relevance, similarity to the listener's preference, one indicator per kind
N_PER_LISTENER = 4  # consecutive decisions by the same listener, with the same preference


@dataclass(frozen=True, eq=False)
class Contexts:
    """
    Decisions, each between the same number of options.

    Attributes:
        options: Feature vectors, shape (n, n_options, N_FEATURES).
        probabilities: Probability that the listener likes each option, 0..1, shape (n, n_options).
    """

    options: F64
    probabilities: F64

    @classmethod
    def random(cls, n: int, n_options: int, rng: np.random.Generator) -> Self:
        """
        Draw n decisions.

        Each option is a track of one of `KINDS`; options are sorted by descending relevance, and the first one is of
        the kind 'usual'. The numbers are a deliberate trap for greedy policies: 'new' tracks have the highest like
        probability, but 'usual' tracks are the most frequent and liked often enough that a greedy policy keeps choosing
        them.
        """
        listener = np.arange(n) // N_PER_LISTENER
        preference = rng.uniform(0, 1, (listener.max(initial=0) + 1, 1))[listener]
        kind = np.where(rng.random((n, n_options)) < USUAL_SHARE, 0, rng.integers(1, len(KINDS), (n, n_options)))
        kind[:, 0] = 0
        similarity = 1 - np.abs(rng.uniform(0, 1, (n, n_options)) - preference)
        relevance = np.broadcast_to(np.linspace(1, 0, n_options), (n, n_options))
        options = np.concatenate([np.stack([relevance, similarity], axis=2), np.eye(len(KINDS))[kind]], axis=2)
        weights = np.append([RELEVANCE_EFFECT, DISTANCE_EFFECT], LIKE_PROBABILITY_BY_KIND - DISTANCE_EFFECT)
        return cls(options, np.clip(options @ weights, 0, 1))

    def rewards(self, chosen: I64, rng: np.random.Generator) -> F64:
        """Draw whether the listener likes the chosen option of each decision: 1 or 0, shape (n,)."""
        likes: F64 = (rng.random(len(chosen)) < self.probabilities[np.arange(len(chosen)), chosen]).astype(np.float64)
        return likes

    def value(self, probabilities: F64) -> float:
        """Return the expected reward per decision of a policy; `probabilities` has shape (n, n_options)."""
        return float((probabilities * self.probabilities).sum(axis=1).mean())

    def regret(self, probabilities: F64) -> float:
        """Return the regret per decision: the maximum possible expected reward minus that of the policy."""
        return float(self.probabilities.max(axis=1).mean()) - self.value(probabilities)


def simulate_log(
    contexts: Contexts, shown: F64, target: F64, *, predicted: F64, rng: np.random.Generator
) -> pl.DataFrame:
    """
    Simulate a logging policy; return its log, one row per decision, with the columns that `off_policy` reads.

    Args:
        contexts: The decisions.
        shown: Probabilities of the logging policy, shape (n, n_options).
        target: Probabilities of the evaluated policy, shape (n, n_options).
        predicted: A reward model's prediction for each option, shape (n, n_options).
        rng: Random generator.
    """
    chosen = choose(shown, rng)
    rows = np.arange(len(chosen))
    return pl.DataFrame(
        {
            "user_id": [f"u{row // N_PER_LISTENER}" for row in rows],
            "propensity": shown[rows, chosen],
            "target": target[rows, chosen],
            "reward": contexts.rewards(chosen, rng),
            "predicted": predicted[rows, chosen],
            "predicted_target": (target * predicted).sum(axis=1),
        }
    )


def softmax(options: F64, weights: F64) -> F64:
    """Return the probabilities of a softmax policy over linear scores `options @ weights`: (n, n_options)."""
    return np.asarray(scipy.special.softmax(options @ weights, axis=1))
