"""
What a writer likes moves the sampler: a bandit over its knobs.

An option is a level for each knob. The expected answer, 1 for liked and -1 for disliked, is linear in the levels.
Options are drawn by Thompson sampling (`recsys.feedback.bandits`): at first any, later mostly those that are liked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Self

import numpy as np

from recsys.arrays import F64
from recsys.compose.controls import Knobs
from recsys.errors import SetupError
from recsys.feedback.bandits import Posterior, Thompson, choose
from recsys.files import write_atomically

LEVELS = (0.0, -0.6, 0.6)  # the first option is all 0: what the model learnt
OPTIONS = tuple(Knobs(*levels) for levels in product(LEVELS, repeat=len(Knobs._fields)))
POLICY = Thompson(scale=0.5)


def features(knobs: Knobs) -> F64:
    """Return which level each knob has, as 0 and 1, shape (9,)."""
    return np.array([float(value == level) for value in knobs for level in LEVELS])


DESCRIBED = np.array([features(option) for option in OPTIONS])  # (27, 9)


@dataclass(frozen=True)
class Preferences:
    """
    What a writer's answers so far say about the knobs.

    Attributes:
        posterior: Of the expected answer.
        n_answers: Number of answers.
    """

    posterior: Posterior
    n_answers: int = 0

    @classmethod
    def none(cls) -> Self:
        """Return the preferences before any answer."""
        return cls(Posterior.prior(DESCRIBED.shape[1]))

    @classmethod
    def read(cls, path: Path) -> Self:
        """
        Read a preferences; where there is no file, the one before any answer.

        Raises:
            SetupError: The file is damaged.
        """
        if not path.exists():
            return cls.none()
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(Posterior(arrays["precision"], arrays["moment"]), int(arrays["n_answers"]))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise SetupError(f"{path} is damaged: {error}. Remove it to begin without answers") from error

    def write(self, path: Path) -> None:
        """Write the preferences."""

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                arrays = {"precision": self.posterior.precision, "moment": self.posterior.moment}
                np.savez(file, allow_pickle=False, n_answers=self.n_answers, **arrays)

        write_atomically(path, write)

    def after(self, knobs: Knobs, *, is_liked: bool) -> Self:
        """Return the preferences after one more answer about a suggestion that was drawn with some knobs."""
        reward = np.array([1.0 if is_liked else -1.0])
        return type(self)(self.posterior.updated(features(knobs)[None], reward), self.n_answers + 1)

    def draw(self, n: int, rng: np.random.Generator) -> list[Knobs]:
        """Draw the knobs of n suggestions."""
        probabilities = POLICY.probabilities(self.posterior, np.repeat(DESCRIBED[None], n, axis=0), rng)
        return [OPTIONS[place] for place in choose(probabilities, rng)]


def combined(one: Knobs, other: Knobs) -> Knobs:
    """Return the sum of knobs, each within -1..1."""
    return Knobs(*_clipped(one, other))


def _clipped(one: Knobs, other: Knobs) -> Iterator[float]:
    return (float(np.clip(first + second, -1, 1)) for first, second in zip(one, other, strict=True))
