"""
A world whose truth is known: listeners, options and the chance that each is liked. For tests and benchmarks.

The chance is linear in what describes an option but for a floor of 0, so that the value of any policy can be counted.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from recsys.arrays import F64, I64
from recsys.feedback.bandits import choose

KINDS = ("usual", "new", "cold", "tail", "foreign", "cover", "live", "old")  # of track
APPEAL = np.array([0.30, 0.45, 0.15, 0.20, 0.10, 0.05, 0.12, 0.25])  # chance that a track of a kind is liked
OF_RELEVANCE = 0.1  # what the most relevant option has beyond
OF_TASTE = 0.2  # what distance between the listener's taste and the option's costs
USUAL = 0.6  # share of the usual kind among options
N_FEATURES = 2 + len(KINDS)  # relevance, likeness to the listener's taste, and one for each kind
N_PER_LISTENER = 4  # decisions: those of one listener share a taste


@dataclass(frozen=True, eq=False)
class Contexts:
    """
    Decisions to take.

    Attributes:
        options: What describes each option, shape (n, n_options, N_FEATURES).
        chances: How likely each is liked, 0..1, shape (n, n_options).
    """

    options: F64
    chances: F64

    @classmethod
    def drawn(cls, n: int, n_options: int, rng: np.random.Generator) -> Self:
        """
        Draw decisions, the recommender's best option first.

        Most options are of the usual kind, which is liked well enough that who only follows what was liked so far never
        finds out that new ones are liked better.
        """
        listener = np.arange(n) // N_PER_LISTENER
        interactions = rng.uniform(0, 1, (listener.max(initial=0) + 1, 1))[listener]
        kind = np.where(rng.random((n, n_options)) < USUAL, 0, rng.integers(1, len(KINDS), (n, n_options)))
        kind[:, 0] = 0
        likeness = 1 - np.abs(rng.uniform(0, 1, (n, n_options)) - interactions)
        relevance = np.broadcast_to(np.linspace(1, 0, n_options), (n, n_options))
        options = np.concatenate([np.stack([relevance, likeness], axis=2), np.eye(len(KINDS))[kind]], axis=2)
        return cls(options, np.clip(options @ np.append([OF_RELEVANCE, OF_TASTE], APPEAL - OF_TASTE), 0, 1))

    def rewards(self, chosen: I64, rng: np.random.Generator) -> F64:
        """Roll whether the chosen option of each decision is liked, 0 or 1."""
        likes: F64 = (rng.random(len(chosen)) < self.chances[np.arange(len(chosen)), chosen]).astype(np.float64)
        return likes

    def value(self, probabilities: F64) -> float:
        """Count what a policy earns per decision: the sum of probability times chance."""
        return float((probabilities * self.chances).sum(axis=1).mean())

    def regret(self, probabilities: F64) -> float:
        """Count what it loses against whoever knows the truth, per decision."""
        return float(self.chances.max(axis=1).mean()) - self.value(probabilities)


def logged(contexts: Contexts, shown: F64, target: F64, *, guess: F64, rng: np.random.Generator) -> pl.DataFrame:
    """
    Let one policy choose and log it, as `off_policy` reads it.

    Args:
        contexts: The decisions.
        shown: Probabilities of the policy that chooses.
        target: Those of the one to be evaluated.
        guess: The reward that a model expects of each option.
        rng: The dice.
    """
    chosen = choose(shown, rng)
    rows = np.arange(len(chosen))
    return pl.DataFrame(
        {
            "user_id": [f"u{row // N_PER_LISTENER}" for row in rows],
            "propensity": shown[rows, chosen],
            "target": target[rows, chosen],
            "reward": contexts.rewards(chosen, rng),
            "predicted": guess[rows, chosen],
            "predicted_target": (target * guess).sum(axis=1),
        }
    )


def softmax(options: F64, weights: F64) -> F64:
    """Probabilities of a policy that prefers options by a score, without learning."""
    scores = np.exp(options @ weights)
    chances: F64 = scores / scores.sum(axis=1, keepdims=True)
    return chances
