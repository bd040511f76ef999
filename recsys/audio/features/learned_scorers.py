"""
A small trained network that chooses among candidate tempi.

The inputs of each candidate are expressed relative to it (such as the periodicity at half its tempo), and the same two
layers score every candidate; a softmax over the scores gives probabilities. `python -m bench.audio.train_features`
trains the weights on rendered music with exact labels.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from scipy.special import softmax

from recsys.arrays import F32, F64

FOLDER = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True, eq=False)
class Scorer:
    """
    A network of two layers: score = relu((x - mean) / scale @ first + bias) @ second.

    Attributes:
        mean, scale: Mean and scale of each input, shape (n_inputs,).
        first, bias: First layer, shapes (n_inputs, n_hidden) and (n_hidden,).
        second: Second layer, shape (n_hidden,).
    """

    mean: F32
    scale: F32
    first: F32
    bias: F32
    second: F32

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read weights from an npz file."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name].astype(np.float32) for name in cls.__dataclass_fields__})

    def save(self, path: Path) -> None:
        """Write the weights to an npz file, as float16."""
        np.savez(path, **{name: getattr(self, name).astype(np.float16) for name in self.__dataclass_fields__})

    def probabilities(self, candidates: F32) -> F64:
        """Map candidates, shape (n_candidates, n_inputs), to probabilities that sum to 1, shape (n_candidates,)."""
        hidden = np.maximum((candidates - self.mean) / self.scale @ self.first + self.bias, 0)
        return np.asarray(softmax((hidden @ self.second).astype(np.float64)))


@cache
def load_scorer() -> Scorer:
    """Return the scorer of this package."""
    return Scorer.load(FOLDER / "tempo.npz")
