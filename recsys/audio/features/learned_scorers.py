"""
Small scorers that were trained on music with exact labels: how candidates of a tempo or a key compare.

Every candidate is described the same way, relative to itself, and scored by the same two layers; the scores' softmax
are the chances. The weights are files of this folder, made by `python -m bench.audio.train_features`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from recsys.arrays import F32, F64

FOLDER = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True, eq=False)
class Scorer:
    """
    Two layers: score = relu((x - mean) / scale @ first + bias) @ second.

    Attributes:
        mean, scale: Of each of the inputs, shape (n_inputs,).
        first, bias: Shapes (n_inputs, n_hidden), (n_hidden,).
        second: Shape (n_hidden,).
    """

    mean: F32
    scale: F32
    first: F32
    bias: F32
    second: F32

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of weights."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name].astype(np.float32) for name in cls.__dataclass_fields__})

    def save(self, path: Path) -> None:
        """Write a file of weights, in half precision."""
        np.savez(path, **{name: getattr(self, name).astype(np.float16) for name in self.__dataclass_fields__})

    def chances(self, candidates: F32) -> F64:
        """Return the chance of each candidate, shape (n_candidates, n_inputs) -> (n_candidates,), sums to 1."""
        hidden = np.maximum((candidates - self.mean) / self.scale @ self.first + self.bias, 0)
        scores = (hidden @ self.second).astype(np.float64)
        raised = np.exp(scores - scores.max())
        return np.asarray(raised / raised.sum())


@cache
def weights(name: str) -> Scorer:
    """Return the scorer of a name: 'tempo' or 'key'."""
    return Scorer.load(FOLDER / f"{name}.npz")
