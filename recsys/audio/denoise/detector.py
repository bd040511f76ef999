"""
Is a recording speech and nothing but noise? A logistic regression on the vector of the pretrained encoder.

It decides where the denoiser of voices may be used, which takes music for noise. It was trained on speech with and
without noise, and on music with and without singing, by `bench.studio.train_voice_detector`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from recsys.arrays import F32
from recsys.audio.embedding.embed import encode, patches_of, standardised_mean
from recsys.audio.embedding.encoder import Encoder
from recsys.audio.embedding.pretrained import pretrained
from recsys.audio.weights_file import read_tensors, save_tensors

PATH = Path(__file__).parents[1] / "weights" / "voice" / "voice.npz"
ENCODER = "MSD"


@dataclass(frozen=True, eq=False)
class VoiceDetector:
    """
    The encoder and the weights of the regression.

    Attributes:
        encoder: The pretrained encoder.
        weights: One per dimension of its vector, shape (753,), float32.
        bias: The threshold is included: 0 is the point of decision.
    """

    encoder: Encoder
    weights: torch.Tensor
    bias: float

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Load the trained detector."""
        tensors = read_tensors(path)
        return cls(pretrained(ENCODER), tensors["weights"], float(tensors["bias"]))

    def save(self, path: Path) -> None:
        """Write the weights of the regression."""
        save_tensors(path, {"weights": self.weights, "bias": torch.tensor(self.bias)})

    def score(self, mono: F32) -> float | None:
        """Return how far 16 kHz mono, shape (n,), is from the decision, above 0 for speech; None in silence."""
        vector = vector_of(self.encoder, mono)
        return None if vector is None else float(torch.from_numpy(vector) @ self.weights) + self.bias


def vector_of(encoder: Encoder, mono: F32) -> F32 | None:
    """Return the vector of 16 kHz mono, shape (753,); None for silence and below 1 s."""
    patches = patches_of(mono)
    return None if patches is None else standardised_mean(encoder, encode(encoder, patches))
