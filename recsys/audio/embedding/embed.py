"""
Embedding of a recording: a vector for similarity by sound, and the tags that the pretrained networks predict.

At most twelve patches of 3 s, evenly spaced, are encoded; more patches did not improve the vectors. The vector is the
mean over time of the encoder's pooled channels, each standardised by its mean and variance in the encoder's training
set, so that no channel dominates. In artist retrieval on real music this was better than the output of the last layers,
and it needs no statistics of a catalogue.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from recsys.arrays import F32
from recsys.audio.embedding.encoder import N_FRAMES, N_POOLED, Encoder, EncoderOutput
from recsys.audio.embedding.instruments import instrument_head
from recsys.audio.embedding.onnx_encoder import NETWORK, OnnxEncoder
from recsys.audio.embedding.pretrained import FOLDER, pretrained
from recsys.audio.embedding.tags import TRAINING_SETS, VOICE_MARGIN, PredictedTag, predicted_tags, voice_scores
from recsys.audio.mel import RATE_HZ, log_mel
from recsys.audio.signal import Signal
from recsys.audio.spectrum import SILENCE_RMS
from recsys.audio.weights_file import with_weights
from recsys.errors import SetupError

MUSICNN = "musicnn"
N_PATCHES = 12
MIN_DURATION_S = 1.0
FORMAT = 1  # raise it whenever a change of the code gives other vectors with the same weights
WEIGHTS, VERSION = "encoder.npz", "version.txt"  # files of a trained encoder


@dataclass(frozen=True, eq=False)
class Embedding:
    """
    Vector and tags of one recording.

    Attributes:
        vector: Shape (n_dimensions,), float32, of which musicnn has 753; compared by cosine similarity.
        tags: All 100 tags of both networks with their confidences, and instruments where `instruments` predicts them.
        vocal_share: Share of the excerpts in which the networks hear a voice, 0..1.
    """

    vector: F32
    tags: tuple[PredictedTag, ...]
    vocal_share: float


@dataclass(frozen=True, eq=False)
class Embedder:
    """
    An encoder for vectors, and the pretrained networks for tags, whichever encoder is chosen.

    Attributes:
        version: Identifies weights and format; only vectors of the same version are comparable.
        encoder: The network that computes the vector.
        taggers: The pretrained networks that predict the tags, one per training set.
    """

    version: str
    encoder: Encoder | OnnxEncoder
    taggers: tuple[Encoder, ...]

    @classmethod
    def load(cls, name: str) -> Self:
        """
        Load an encoder by name: 'musicnn', or the folder of one that `recsys audio train` wrote or of an ONNX file.

        Raises:
            SetupError: The folder has no such encoder, or one that cannot be used.
        """
        taggers = tuple(pretrained(training_set) for training_set in TRAINING_SETS)
        if name == MUSICNN:
            return cls(f"{_version(FOLDER)}-{FORMAT}", taggers[0], taggers)
        folder = Path(name)
        if (folder / NETWORK).exists():
            own = OnnxEncoder.load(folder)
            return cls(own.version, own, taggers)
        if not (folder / WEIGHTS).exists():
            raise SetupError(
                f"encoder: found {name!r}, expected '{MUSICNN}' or a folder with a file {WEIGHTS} or {NETWORK}. "
                "Train an encoder (recsys audio train), or use the default"
            )
        return cls(_version(folder), with_weights(Encoder(), folder / WEIGHTS), taggers)

    def embed(self, signal: Signal, mono: F32 | None = None) -> Embedding | None:
        """
        Embed a recording; None for silence, below 1 s, and where an operator's network gives no finite vector.

        Args:
            signal: The decoded recording.
            mono: The same recording as 16 kHz mono, if the caller already has it.
        """
        patches = patches_of(signal.mono(RATE_HZ) if mono is None else mono)
        if patches is None:
            return None
        outputs = {tagger: encode(tagger, patches) for tagger in self.taggers}
        confidences = torch.cat([torch.sigmoid(outputs[tagger].logits) for tagger in self.taggers], dim=1)
        means = {tagger: standardised_mean(tagger, output) for tagger, output in outputs.items()}
        instruments = instrument_head().predict(np.concatenate([means[tagger] for tagger in self.taggers]))
        tags = (*predicted_tags(confidences.mean(dim=0).numpy()), *instruments)
        vocal_share = float((voice_scores(confidences.numpy()) > VOICE_MARGIN).mean())
        if isinstance(self.encoder, OnnxEncoder):
            vector = self.encoder.vector(signal)
            return None if vector is None else Embedding(vector, tags, vocal_share)
        mean = means.get(self.encoder)
        if mean is None:
            mean = standardised_mean(self.encoder, encode(self.encoder, patches))
        return Embedding(mean, tags, vocal_share)


def _version(folder: Path) -> str:
    return (folder / VERSION).read_text(encoding="utf-8").strip()


def patches_of(mono: F32) -> torch.Tensor | None:
    """
    Cut at most 12 log-mel patches of 3 s, evenly spaced, shape (n_patches, 187, 96).

    Audio of less than 3 s is repeated to fill a patch; None for silence and below 1 s.
    """
    if len(mono) < MIN_DURATION_S * RATE_HZ or float(np.sqrt(np.square(mono, dtype=np.float64).mean())) < SILENCE_RMS:
        return None
    frames = log_mel(torch.from_numpy(mono))
    n_whole = len(frames) // N_FRAMES
    if not n_whole:
        return frames.repeat(-(-N_FRAMES // len(frames)), 1)[None, :N_FRAMES]
    chosen = np.linspace(0, n_whole - 1, min(n_whole, N_PATCHES)).round().astype(int)
    return frames[: n_whole * N_FRAMES].reshape(n_whole, N_FRAMES, -1)[chosen]


def encode(encoder: Encoder, patches: torch.Tensor) -> EncoderOutput:
    """Encode patches one by one: a batch exceeds the processor's cache and takes twice as long."""
    with torch.inference_mode():
        outputs = [encoder(patch[None]) for patch in patches]
    return EncoderOutput(*(torch.cat(parts) for parts in zip(*outputs, strict=True)))


def standardised_mean(encoder: Encoder, output: EncoderOutput) -> F32:
    """Return the mean of each channel over patches and time, standardised as in training, shape (753,), float32."""
    norm = encoder.pool_norm
    assert norm.running_mean is not None  # noqa: S101 - the layer tracks statistics
    assert norm.running_var is not None  # noqa: S101
    mean, variance = (statistic.reshape(N_POOLED, 2)[:, 1] for statistic in (norm.running_mean, norm.running_var))
    scaled = (output.mean.mean(dim=0) - mean) / torch.sqrt(variance + norm.eps)
    vector: F32 = scaled.detach().numpy().astype(np.float32)
    return vector
