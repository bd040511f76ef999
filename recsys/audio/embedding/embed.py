"""
Where a recording stands among others by its sound, and which words fit it.

At most twelve patches of 3 s, evenly spread, are heard; more of them place a recording no better. The vector is the
mean over time of everything that the encoder knows, each channel in units of its spread over the encoder's own training
set, so that no channel drowns the others: by artist retrieval on real music that was better than the last layers, and
needs no statistics of anybody's catalogue.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from recsys.arrays import F32
from recsys.audio.embedding.encoder import N_FRAMES, N_POOLED, Encoder, EncoderOutput
from recsys.audio.embedding.pretrained import fingerprint, pretrained
from recsys.audio.embedding.tags import TRAINING_SETS, PredictedTag, predicted_tags
from recsys.audio.mel import RATE_HZ, log_mel
from recsys.audio.spectrum import SILENT
from recsys.errors import SetupError

MUSICNN = "musicnn"
N_PATCHES = 12
SHORTEST_S = 1.0
FORMAT = 1  # counts up whenever the same weights would give other vectors
WEIGHTS, VERSION = "encoder.pt", "version.txt"  # files of an encoder that was trained here


@dataclass(frozen=True, eq=False)
class Embedding:
    """
    Place and words of one recording.

    Attributes:
        vector: Shape (753,), float32; by cosine, alike is near.
        tags: All 100 tags of both networks with their confidences.
    """

    vector: F32
    tags: tuple[PredictedTag, ...]


@dataclass(frozen=True, eq=False)
class Embedder:
    """
    An encoder for vectors, the pretrained networks for words.

    Attributes:
        version: Names the weights and all else that decides a vector: only vectors of one version compare.
        encoder: Whose vectors are given.
        taggers: One for each training set.
    """

    version: str
    encoder: Encoder
    taggers: tuple[Encoder, ...]

    @classmethod
    def load(cls, name: str) -> Self:
        """
        Load an encoder: 'musicnn', or the folder of one that was trained here.

        Raises:
            SetupError: The weights are not there.
        """
        taggers = tuple(pretrained(training_set) for training_set in TRAINING_SETS)
        if name == MUSICNN:
            return cls(f"{MUSICNN}-msd-{fingerprint('MSD')}-{FORMAT}", taggers[0], taggers)
        folder = Path(name)
        if not (folder / WEIGHTS).exists():
            raise SetupError(
                f"{name} is no encoder: neither '{MUSICNN}' nor a folder with a file {WEIGHTS}. "
                "Train one (recsys audio train), or take the default"
            )
        encoder = Encoder()
        encoder.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
        return cls((folder / VERSION).read_text(encoding="utf-8").strip(), encoder.eval(), taggers)

    def embed(self, mono: F32) -> Embedding | None:
        """Embed 16 kHz sound, shape (n,); None for silence and less than a second."""
        patches = patches_of(mono)
        if patches is None:
            return None
        heard = {encoder: listened(encoder, patches) for encoder in {self.encoder, *self.taggers}}
        words = [torch.sigmoid(heard[tagger].logits).mean(dim=0) for tagger in self.taggers]
        tags = predicted_tags(torch.cat(words).numpy())
        return Embedding(vector_of(self.encoder, heard[self.encoder]), tags)


def patches_of(mono: F32) -> torch.Tensor | None:
    """
    Cut out what is heard: at most 12 patches of 3 s, evenly spread, shape (n_patches, 187, 96).

    Less than 3 s is heard again and again until it is 3 s; None for silence and less than a second.
    """
    if len(mono) < SHORTEST_S * RATE_HZ or float(np.sqrt(np.square(mono, dtype=np.float64).mean())) < SILENT:
        return None
    frames = log_mel(torch.from_numpy(mono))
    n_whole = len(frames) // N_FRAMES
    if not n_whole:
        return frames.repeat(-(-N_FRAMES // len(frames)), 1)[None, :N_FRAMES]
    chosen = np.linspace(0, n_whole - 1, min(n_whole, N_PATCHES)).round().astype(int)
    return frames[: n_whole * N_FRAMES].reshape(n_whole, N_FRAMES, -1)[chosen]


def listened(encoder: Encoder, patches: torch.Tensor) -> EncoderOutput:
    """Hear patches one by one: a batch would not fit the processor's cache, and takes twice as long."""
    with torch.inference_mode():
        each = [encoder(patch[None]) for patch in patches]
    return EncoderOutput(*(torch.cat(parts) for parts in zip(*each, strict=True)))


def vector_of(encoder: Encoder, heard: EncoderOutput) -> F32:
    """Return the mean over patches and time of each channel, in units of its spread in training, shape (753,)."""
    norm = encoder.pool_norm
    assert norm.running_mean is not None  # noqa: S101 - it keeps statistics
    assert norm.running_var is not None  # noqa: S101
    mean, variance = (each.reshape(N_POOLED, 2)[:, 1] for each in (norm.running_mean, norm.running_var))
    scaled = (heard.mean.mean(dim=0) - mean) / torch.sqrt(variance + norm.eps)
    vector: F32 = scaled.detach().numpy().astype(np.float32)
    return vector
