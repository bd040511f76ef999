"""
Audio fingerprints: a small network maps about a second of music and its distorted copies to almost the same vector.

The input is a spectrogram of 8 kHz audio on a logarithmic frequency scale, on which a change of pitch is a shift. The
first layer combines patches of 4 by 4 points, which saves nine tenths of the computation; 3 by 3 convolutions follow.
The network is applied to whole recordings: it gives a unit vector every 0.256 s, and neighbouring vectors share most
of the computation.

Source of the idea: Chang, Lee, Park, Lim, Lee, Ko, Han, Neural Audio Fingerprint for High-Specific Audio Retrieval
Based on Contrastive Learning (ICASSP 2021).
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from recsys.arrays import F32, I8
from recsys.audio.embedding.embed import VERSION, WEIGHTS
from recsys.audio.signal import resample
from recsys.audio.weights_file import with_weights
from recsys.errors import InputError, SetupError

DEFAULT_FOLDER = Path(__file__).parents[1] / "weights" / "fingerprint"  # trained by bench/audio/train_fingerprint.py
RATE_HZ = 8_000
N_FFT, HOP = 1_024, 128  # 128 ms every 16 ms
N_BINS, LOWEST_HZ, HIGHEST_HZ = 112, 160.0, 3_800.0  # about two bins per semitone
BINS_PER_SEMITONE = (N_BINS - 1) / (12 * np.log2(HIGHEST_HZ / LOWEST_HZ))
SILENCE_RMS = 1e-5  # root mean square below which audio counts as silent
MIN_RMS = 10 ** (-75 / 20)  # of the second of a vector, full scale 1: below -75 dBFS there is dither, hum and hiss
LOG_OFFSET = 1e-3  # added to magnitudes before the logarithm, for audio of level 1
AUDIBLE_LEVEL = float(np.log(2 * LOG_OFFSET))  # a frame is audible if one of its bins exceeds this
MIN_AUDIBLE_SHARE = 0.25  # of the frames of a vector; other vectors are 0
N_NORM_FRAMES = 65  # frames, 1 s, whose mean and standard deviation normalise the frame in their middle
PATCH = 4
CHANNELS = (64, 128, 160, 192, 256)
STRIDES = (1, 2, 1, 2)
N_COLUMNS = 4  # of the last layer, per vector
N_SQUEEZED, N_DIMENSIONS = 32, 128

HOP_FRAMES = 16  # hop between vectors, in frames
VECTOR_HOP_S = HOP_FRAMES * HOP / RATE_HZ  # hop between vectors: 0.256 s
# Time of the middle of the first vector: column i of the last layer is centred on frame 16 i + 1.5, a vector has four
# columns, a frame 1,024 samples.
FIRST_VECTOR_S = ((HOP_FRAMES * (N_COLUMNS - 1) / 2 + (PATCH - 1) / 2) * HOP + N_FFT / 2) / RATE_HZ  # 0.472 s
N_SAMPLES = N_FFT + (HOP_FRAMES * N_COLUMNS - 1) * HOP  # of the shortest audio that gives a vector: 1.14 s
N_PIECE_VECTORS, N_CONTEXT_VECTORS = (
    256,
    8,
)  # long audio is processed in pieces of so many vectors, with context on both sides

INDEX_STEP = 2  # the index stores every second vector of a recording
SCALE = 200.0  # int8 codes per unit; components beyond .635 are clipped, which hardly occur in 128 dimensions


def spectrogram(sound: torch.Tensor) -> torch.Tensor:
    """
    Return the spectrogram of 8 kHz audio.

    Args:
        sound: Samples, shape (..., n), n >= 1,024, float32.

    Returns:
        Logarithms of band magnitudes, shape (..., 1 + (n - 1024) // 128, 112), float32, without padding at the ends.
    """
    flat = sound.reshape(-1, sound.shape[-1])
    spectrum = torch.stft(flat, N_FFT, HOP, window=torch.hann_window(N_FFT), center=False, return_complex=True)
    bands: torch.Tensor = spectrum.abs().transpose(1, 2) @ _bands()  # (n, frames, 112)
    frames: torch.Tensor = torch.log(bands + LOG_OFFSET).reshape(*sound.shape[:-1], -1, N_BINS)
    return frames


def n_vectors(n_frames: int) -> int:
    """Return the number of vectors of a spectrogram; the middle of vector i is at .472 + .256 i seconds."""
    return max(0, -(-(n_frames // PATCH) // 4) - N_COLUMNS + 1)


@cache
def _bands() -> torch.Tensor:
    """Return triangular filters over the bins of the spectrum, at least one bin wide, with sum 1, shape (513, 112)."""
    hz = torch.linspace(0, RATE_HZ / 2, N_FFT // 2 + 1, dtype=torch.float64)
    step = (HIGHEST_HZ / LOWEST_HZ) ** (1 / (N_BINS - 1))
    centre = LOWEST_HZ * step ** torch.arange(N_BINS, dtype=torch.float64)
    width = (centre * (step - 1)).clamp(min=RATE_HZ / N_FFT)
    triangles = (1 - (hz[:, None] - centre).abs() / width).clamp(min=0)
    bands: torch.Tensor = (triangles / triangles.sum(dim=0)).float()
    return bands


class Fingerprint(nn.Module):
    """The network, 1.1 million parameters: spectrograms -> vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Sequential(nn.Conv2d(1, CHANNELS[0], PATCH, PATCH), nn.BatchNorm2d(CHANNELS[0]), nn.ReLU())
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())
                for n_in, n_out, stride in zip(CHANNELS[:-1], CHANNELS[1:], STRIDES, strict=True)
            )
        )
        self.squeeze = nn.Conv2d(CHANNELS[-1], N_SQUEEZED, 1)
        self.place = nn.Conv2d(N_SQUEEZED, N_DIMENSIONS, (N_COLUMNS, N_BINS // 16))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @override
    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Map spectrograms, shape (B, n_frames, 112), to unit vectors, shape (B, n_vectors(n_frames), 128)."""
        x = _normalised(frames)[:, None].contiguous(memory_format=torch.channels_last)  # (B,1,T,112)
        x = self.layers(self.patches(x))  # (B,64,T/4,28) -> (B,192,T/16,7)
        vectors: torch.Tensor = self.place(self.squeeze(x))[..., 0]  # (B,128,n)
        return functional.normalize(vectors, dim=1).transpose(1, 2)


def _normalised(frames: torch.Tensor) -> torch.Tensor:
    """Standardise frames by mean and standard deviation of the second around them, which removes the level."""
    moments = torch.stack([frames.mean(dim=2), frames.square().mean(dim=2)], dim=1)  # (B,2,T)
    mean, square = functional.avg_pool1d(
        moments, N_NORM_FRAMES, 1, padding=N_NORM_FRAMES // 2, count_include_pad=False
    ).unbind(dim=1)
    std = (square - mean.square()).clamp(min=0).sqrt() + 1e-2
    return (frames - mean[..., None]) / std[..., None]


@dataclass(frozen=True, eq=False)
class Fingerprinter:
    """
    A trained fingerprint network and its version.

    Attributes:
        version: Identifies weights and format; only vectors of the same version are comparable.
        network: The network, in inference mode.
    """

    version: str
    network: Fingerprint

    @classmethod
    def load(cls, folder: Path = DEFAULT_FOLDER) -> Self:
        """
        Load the network in a folder; by default the one of this package.

        Raises:
            SetupError: The folder contains no weights.
        """
        if not (folder / WEIGHTS).exists():
            raise SetupError(f"{folder} contains no fingerprint network. Install the package again")
        network = with_weights(Fingerprint(), folder / WEIGHTS)
        return cls((folder / VERSION).read_text(encoding="utf-8").strip(), network)

    def vectors(self, mono: F32, rate_hz: int) -> F32:
        """Map mono audio, shape (n,), to vectors 0.256 s apart, shape (n_vectors, 128); (0, 128) for silence."""
        sound = resample(mono, rate_hz, RATE_HZ)
        frames = levelled_spectrogram(sound)
        return np.empty((0, N_DIMENSIONS), np.float32) if frames is None else self._loud_vectors(frames, sound)

    def recording_vectors(self, mono: F32, rate_hz: int) -> F32:
        """Return the vectors of a whole recording, computed piece by piece by `stream`."""
        return np.concatenate(
            [np.empty((0, N_DIMENSIONS), np.float32), *self.stream([resample(mono, rate_hz, RATE_HZ)])]
        )

    def spectrogram_vectors(self, frames: torch.Tensor) -> F32:
        """Return the vectors of a spectrogram, shape (n_frames, 112); vectors of silence are 0."""
        with torch.inference_mode():
            vectors: F32 = (self.network(frames[None])[0] * _is_audible(frames)[:, None]).numpy()
        return vectors

    def stream(self, sound: Iterable[F32]) -> Iterator[F32]:
        """
        Yield the vectors of audio of any length, in constant memory.

        Args:
            sound: Consecutive pieces of 8 kHz audio, each of shape (n,) for any n.

        Yields:
            The vectors of about a minute of audio, shape (n, 128); vectors of silence are 0. All vectors are 0.256 s
            apart, as in `vectors`, but the level is normalised per minute, not per recording.
        """
        for (vectors,) in self.stream_shifted(sound, (0.0,)):
            yield vectors

    def stream_shifted(self, sound: Iterable[F32], semitones: Sequence[float]) -> Iterator[F32]:
        """Yield what `stream` yields for each shift of the pitch of the sound, shape (len(semitones), n, 128)."""
        hop, reach = HOP_FRAMES * HOP, N_SAMPLES - HOP_FRAMES * HOP
        buffer, n_before = np.empty(0, np.float32), 0  # the buffer begins with the context: n_before finished vectors
        for piece in sound:
            buffer = np.concatenate([buffer, piece])
            while len(buffer) >= (n_before + N_PIECE_VECTORS + N_CONTEXT_VECTORS) * hop + reach:
                end = n_before + N_PIECE_VECTORS
                yield self._piece(buffer[: (end + N_CONTEXT_VECTORS) * hop + reach], semitones, n_before, end)
                buffer, n_before = buffer[(end - N_CONTEXT_VECTORS) * hop :], N_CONTEXT_VECTORS
        if len(buffer) >= N_SAMPLES:
            yield self._piece(buffer, semitones, n_before, n_vectors(1 + (len(buffer) - N_FFT) // HOP))

    def _piece(self, sound: F32, semitones: Sequence[float], first: int, end: int) -> F32:
        frames = levelled_spectrogram(sound)
        if frames is None:
            return np.zeros((len(semitones), end - first, N_DIMENSIONS), np.float32)
        looks = (shifted(frames, shift) if shift else frames for shift in semitones)
        return np.stack([self._loud_vectors(look, sound)[first:end] for look in looks])

    def _loud_vectors(self, frames: torch.Tensor, sound: F32) -> F32:
        """Return `spectrogram_vectors`; vectors of a second below MIN_RMS are 0. `sound` is at 8 kHz, not levelled."""
        vectors = self.spectrogram_vectors(frames)
        power = np.r_[0.0, np.cumsum(np.square(sound, dtype=np.float64))]
        starts = HOP_FRAMES * HOP * np.arange(len(vectors))
        ends = np.minimum(starts + N_SAMPLES, len(sound))
        vectors[power[ends] - power[starts] < MIN_RMS**2 * (ends - starts)] = 0
        return vectors


def _is_audible(frames: torch.Tensor) -> torch.Tensor:
    """Return 1 for each vector if at least a quarter of its frames are audible, else 0."""
    audible = (frames.amax(dim=1) > AUDIBLE_LEVEL).float()[None, None]
    missing = HOP_FRAMES * (n_vectors(frames.shape[0]) + N_COLUMNS - 1) - frames.shape[0]
    shares = functional.avg_pool1d(functional.pad(audible, (0, max(0, missing))), HOP_FRAMES * N_COLUMNS, HOP_FRAMES)
    return (shares[0, 0] >= MIN_AUDIBLE_SHARE).float()


def levelled_spectrogram(sound: F32) -> torch.Tensor | None:
    """Scale 8 kHz audio to level 1; return its spectrogram, (n_frames, 112); None for silence and below 1.14 s."""
    level = np.sqrt(np.square(sound, dtype=np.float64).mean()) if len(sound) else 0.0
    if level < SILENCE_RMS or len(sound) < N_SAMPLES:
        return None
    return spectrogram(torch.from_numpy(sound / np.float32(level)))


def shifted(frames: torch.Tensor, semitones: float) -> torch.Tensor:
    """Shift a spectrogram, shape (n_frames, 112), up in pitch by linear interpolation; it is mirrored at its edges."""
    positions = np.abs(np.arange(N_BINS) - semitones * BINS_PER_SEMITONE)
    positions = N_BINS - 1 - np.abs(N_BINS - 1 - positions)
    left = np.minimum(positions.astype(np.int64), N_BINS - 2)
    share = torch.from_numpy(positions - left).float()
    return frames[:, left] * (1 - share) + frames[:, left + 1] * share


def codes_of(vectors: F32) -> I8:
    """Quantise unit vectors to one byte per component, same shape, int8."""
    codes: I8 = np.clip(np.rint(vectors * SCALE), -127, 127).astype(np.int8)
    return codes


def to_text(vectors: F32) -> str:
    """Encode every second vector of a recording, those that the index stores, as base64 of int8 codes."""
    return b64encode(codes_of(vectors[::INDEX_STEP]).tobytes()).decode("ascii")


def from_text(text: str) -> F32:
    """
    Decode the text of `to_text` to vectors, shape (n, 128), float32.

    Raises:
        InputError: The text is not base64, or its length is not a whole number of vectors.
    """
    try:
        codes = np.frombuffer(b64decode(text, validate=True), np.int8).reshape(-1, N_DIMENSIONS)
    except ValueError as broken:
        raise InputError(
            f"fingerprint: found {len(text):,} characters, expected base64 of vectors of {N_DIMENSIONS} bytes. "
            "Scan its file again"
        ) from broken
    return codes.astype(np.float32) / np.float32(SCALE)
