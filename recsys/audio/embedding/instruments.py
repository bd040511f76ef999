"""
Instruments that play, with calibrated probabilities: a head that was trained where they are known, on rendered music.

Standardised mean channels of both pretrained networks -> logistic regression per instrument. The head says nothing
about recordings that are unlike what it was trained on, in either of two ways: their distance is larger than that of
995 of 1,000 rendered pieces (the mean squared z-score over the principal components of rendered pieces, and of what
these leave over); or a logistic regression that tells rendered pieces from real recordings finds them real. So most
real recordings have no such tags, and synthesised music has them. `python -m bench.tags.train_instruments` trains it.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from scipy.special import expit

from recsys.arrays import F32, F64, Bool
from recsys.audio.embedding.tags import PredictedTag

PATH = Path(__file__).parents[1] / "weights" / "instruments.npz"
TAGGER, KIND = "rendered-instruments", "instrument"
VERSION = "instruments1"  # of the weights and of this code; raise it with any change of values


@dataclass(frozen=True, eq=False)
class InstrumentHead:
    """
    The head; every array but `tags` is float32 here and float16 in the file.

    Attributes:
        tags: Names of the instruments. Shape (n_tags,).
        mean, std: Of each input in the training pieces. Shape (1506,).
        weights, bias: Logistic regression on z-scores. Shapes (1506, n_tags) and (n_tags,).
        axes: Principal axes of z-scores, each divided by the standard deviation along it. Shape (1506, n_components).
        left_over: Mean square of what the axes leave over of z-scores, in the training pieces.
        farthest: Distance above which a recording is unlike the training pieces.
        rendered, rendered_bias: Logistic regression of being rendered, on z-scores. Shapes (1506,) and ().
    """

    tags: np.ndarray
    mean: F32
    std: F32
    weights: F32
    bias: F32
    axes: F32
    left_over: F32
    farthest: F32
    rendered: F32
    rendered_bias: F32

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Read the head from an npz file."""
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {name: arrays[name].astype(np.float32) for name in cls.__dataclass_fields__ if name != "tags"}
            return cls(tags=arrays["tags"], **numbers)

    def save(self, path: Path) -> None:
        """Write the head to an npz file; equal heads give equal bytes."""
        numbers = {name: values.astype(np.float16) for name, values in vars(self).items() if name != "tags"}
        np.savez(path, tags=self.tags, **numbers)

    def probabilities(self, pooled: F32) -> F64:
        """Return the probability that each instrument plays, from (n, 1506) to (n, n_tags)."""
        return np.asarray(expit((self._zscores(pooled) @ self.weights + self.bias).astype(np.float64)))

    def distance(self, pooled: F32) -> F64:
        """Return how unlike the training pieces recordings are, about 1 for most of these. Shape (n,)."""
        zscores = self._zscores(pooled).astype(np.float64)
        along = zscores @ self.axes
        lengths = np.square(self.axes, dtype=np.float64).sum(axis=0)  # 1 / variance along each axis
        rest = np.square(zscores).mean(axis=1) - (np.square(along) / lengths).sum(axis=1) / zscores.shape[1]
        return np.asarray((np.square(along).mean(axis=1) + rest / self.left_over) / 2)

    def is_alike(self, pooled: F32) -> Bool:
        """Return which recordings are like the training pieces; those with values that are no numbers are not. (n,)."""
        sounds_rendered = self._zscores(pooled) @ self.rendered + self.rendered_bias > 0
        return np.asarray((self.distance(pooled) <= self.farthest) & sounds_rendered)

    def predict(self, pooled: F32) -> tuple[PredictedTag, ...]:
        """Return all instruments with their probability for one recording, shape (1506,); none if it is unlike."""
        if not self.is_alike(pooled[None])[0]:
            return ()
        found = self.probabilities(pooled[None])[0]
        return tuple(
            PredictedTag(TAGGER, str(tag), KIND, float(value), float(value))
            for tag, value in zip(self.tags, found, strict=True)
        )

    def _zscores(self, pooled: F32) -> F32:
        zscores: F32 = ((pooled - self.mean) / self.std).clip(-6, 6)
        return zscores


@cache
def instrument_head() -> InstrumentHead:
    """Return the head of this package."""
    return InstrumentHead.load()
