"""
The fingerprint: a small network that hears a second of music and places it where it places the same second distorted.

Sound at 8 kHz becomes a spectrogram on a logarithmic scale of frequency, on which another pitch is a shift. Time and
frequency are first cut into patches of 4 by 4, which costs a tenth of what looking at each point would, then looked at
by plain 3 by 3 filters. The network slides over a recording as a whole: every quarter of a second gives a vector of
length 1, and neighbours share most of the work.

Source of the idea: Chang, Lee, Park, Lim, Lee, Ko, Han, Neural Audio Fingerprint for High-Specific Audio Retrieval
Based on Contrastive Learning (ICASSP 2021).
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
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
from recsys.audio.signal import at_rate
from recsys.errors import InputError, SetupError

SHIPPED = Path(__file__).parents[1] / "weights" / "fingerprint"  # made by bench/audio/train_fingerprint.py
RATE_HZ = 8_000
N_FFT, HOP = 1_024, 128  # 128 ms every 16 ms
N_BINS, LOWEST_HZ, HIGHEST_HZ = 112, 160.0, 3_800.0  # some two bins a semitone
BINS_A_SEMITONE = (N_BINS - 1) / (12 * np.log2(HIGHEST_HZ / LOWEST_HZ))
SILENT = 1e-5  # level below which nothing is heard
QUIET = 1e-3  # magnitude below which a bin counts as silent, for sound of level 1
LOUD, LEAST_HEARD = float(np.log(2 * QUIET)), 0.25  # from where a frame is heard, and share of them that a vector needs
N_AROUND = 65  # frames whose mean and spread are the measure of a frame: 1 s
PATCH = 4
CHANNELS = (64, 128, 160, 192, 256)
STRIDES = (1, 2, 1, 2)
N_COLUMNS = 4  # that a vector is made of
N_SQUEEZED, N_DIMENSIONS = 32, 128

FRAMES_APART = 16  # from one vector to the next
APART_S = FRAMES_APART * HOP / RATE_HZ  # 0.256 s
# A column of the last layer looks at frames around 16 i + 1.5, a vector at four columns, a frame at 1,024 samples.
FIRST_S = ((FRAMES_APART * (N_COLUMNS - 1) / 2 + (PATCH - 1) / 2) * HOP + N_FFT / 2) / RATE_HZ  # 0.472 s
N_SAMPLES = N_FFT + (FRAMES_APART * N_COLUMNS - 1) * HOP  # of the shortest sound that gives a vector: 1.14 s
N_PIECE, N_CONTEXT = 256, 8  # vectors that are made at a time, and of how many more their sound reaches to each side

INDEX_STEP = 2  # of the vectors of a recording, every second is kept
SCALE = 200.0  # codes of a component; those beyond .635 are cut off, which no vector of 128 numbers has in practice


def spectrogram(sound: torch.Tensor) -> torch.Tensor:
    """
    Take the spectrogram of 8 kHz sound.

    Args:
        sound: Shape (..., n), at least 1,024 samples, float32.

    Returns:
        Logarithm of magnitudes, shape (..., 1 + (n - 1024) // 128, 112): frames begin within the sound.
    """
    flat = sound.reshape(-1, sound.shape[-1])
    spectrum = torch.stft(flat, N_FFT, HOP, window=torch.hann_window(N_FFT), center=False, return_complex=True)
    bands: torch.Tensor = spectrum.abs().transpose(1, 2) @ _bands()  # (n, frames, 112)
    heard: torch.Tensor = torch.log(bands + QUIET).reshape(*sound.shape[:-1], -1, N_BINS)
    return heard


def n_vectors(n_frames: int) -> int:
    """Return how many vectors so many frames of a spectrogram give; the middle of vector i lies at .472 + .256 i s."""
    return max(0, -(-(n_frames // PATCH) // 4) - N_COLUMNS + 1)


@cache
def _bands() -> torch.Tensor:
    """Return triangles over the bins of the spectrum, at least a bin wide, each of sum 1, shape (513, 112)."""
    hz = torch.linspace(0, RATE_HZ / 2, N_FFT // 2 + 1, dtype=torch.float64)
    step = (HIGHEST_HZ / LOWEST_HZ) ** (1 / (N_BINS - 1))
    centre = LOWEST_HZ * step ** torch.arange(N_BINS, dtype=torch.float64)
    width = (centre * (step - 1)).clamp(min=RATE_HZ / N_FFT)
    triangles = (1 - (hz[:, None] - centre).abs() / width).clamp(min=0)
    bands: torch.Tensor = (triangles / triangles.sum(dim=0)).float()
    return bands


class Fingerprint(nn.Module):
    """Spectrograms to vectors, 1.1 M parameters."""

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
        """Place spectrograms, shape (B, n_frames, 112), at vectors of length 1, shape (B, n_vectors(n_frames), 128)."""
        x = _levelled(frames)[:, None].contiguous(memory_format=torch.channels_last)  # (B,1,T,112)
        x = self.layers(self.patches(x))  # (B,64,T/4,28) -> (B,192,T/16,7)
        places: torch.Tensor = self.place(self.squeeze(x))[..., 0]  # (B,128,n)
        return functional.normalize(places, dim=1).transpose(1, 2)


def _levelled(frames: torch.Tensor) -> torch.Tensor:
    """Measure frames by mean and spread of the second around them: level does not count."""
    moments = torch.stack([frames.mean(dim=2), frames.square().mean(dim=2)], dim=1)  # (B,2,T)
    mean, square = functional.avg_pool1d(moments, N_AROUND, 1, padding=N_AROUND // 2, count_include_pad=False).unbind(
        dim=1
    )
    spread = (square - mean.square()).clamp(min=0).sqrt() + 1e-2
    return (frames - mean[..., None]) / spread[..., None]


@dataclass(frozen=True, eq=False)
class Fingerprinter:
    """
    A trained network and its name.

    Attributes:
        version: Names the weights and all else that decides a vector: only vectors of one version compare.
        network: Gives the vectors.
    """

    version: str
    network: Fingerprint

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Self:
        """
        Load a network.

        Raises:
            SetupError: There are no weights.
        """
        if not (folder / WEIGHTS).exists():
            raise SetupError(f"{folder} holds no fingerprint network. Install the package again")
        network = Fingerprint()
        network.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
        return cls((folder / VERSION).read_text(encoding="utf-8").strip(), network.eval())

    def vectors(self, mono: F32, rate_hz: int) -> F32:
        """Return vectors a quarter of a second apart, shape (n_vectors, 128), of sound, shape (n,); none of silence."""
        frames = levelled_spectrogram(at_rate(mono, rate_hz, RATE_HZ))
        return np.empty((0, N_DIMENSIONS), np.float32) if frames is None else self.of_frames(frames)

    def of_sound(self, mono: F32, rate_hz: int) -> F32:
        """Return the vectors of a whole recording, as `stream` gives them."""
        return np.concatenate(
            [np.empty((0, N_DIMENSIONS), np.float32), *self.stream([at_rate(mono, rate_hz, RATE_HZ)])]
        )

    def of_frames(self, frames: torch.Tensor) -> F32:
        """Return the vectors of a spectrogram, shape (n_frames, 112); zeros where nothing is heard."""
        with torch.inference_mode():
            vectors: F32 = (self.network(frames[None])[0] * _is_heard(frames)[:, None]).numpy()
        return vectors

    def stream(self, sound: Iterable[F32]) -> Iterator[F32]:
        """
        Yield the vectors of sound of any length in a memory that does not grow with it.

        Args:
            sound: Consecutive pieces of 8 kHz sound, each of shape (n,) for any n.

        Yields:
            Vectors of about a minute, shape (n, 128); zeros where it is silent. All together they stand a quarter of a
            second apart, as `vectors` gives them; sound is levelled by the minute.
        """
        apart, reach = FRAMES_APART * HOP, N_SAMPLES - FRAMES_APART * HOP
        held, n_before = np.empty(0, np.float32), 0  # what is not done yet, and how many done vectors it begins with
        for piece in sound:
            held = np.concatenate([held, piece])
            while len(held) >= (n_before + N_PIECE + N_CONTEXT) * apart + reach:
                end = n_before + N_PIECE
                yield self._some(held[: (end + N_CONTEXT) * apart + reach], n_before, end)
                held, n_before = held[(end - N_CONTEXT) * apart :], N_CONTEXT
        if len(held) >= N_SAMPLES:
            yield self._some(held, n_before, n_vectors(1 + (len(held) - N_FFT) // HOP))

    def _some(self, sound: F32, first: int, end: int) -> F32:
        frames = levelled_spectrogram(sound)
        if frames is None:
            return np.zeros((end - first, N_DIMENSIONS), np.float32)
        return self.of_frames(frames)[first:end]


def _is_heard(frames: torch.Tensor) -> torch.Tensor:
    """Say which vectors of a spectrogram are of sound: a quarter of their frames at least, as 0 or 1."""
    loud = (frames.amax(dim=1) > LOUD).float()[None, None]
    missing = FRAMES_APART * (n_vectors(frames.shape[0]) + N_COLUMNS - 1) - frames.shape[0]
    shares = functional.avg_pool1d(functional.pad(loud, (0, max(0, missing))), FRAMES_APART * N_COLUMNS, FRAMES_APART)
    return (shares[0, 0] >= LEAST_HEARD).float()


def levelled_spectrogram(sound: F32) -> torch.Tensor | None:
    """Return the spectrogram of 8 kHz sound brought to level 1, shape (n_frames, 112); None where it is silent."""
    level = np.sqrt(np.square(sound, dtype=np.float64).mean()) if len(sound) else 0.0
    if level < SILENT or len(sound) < N_SAMPLES:
        return None
    return spectrogram(torch.from_numpy(sound / np.float32(level)))


def shifted(frames: torch.Tensor, semitones: float) -> torch.Tensor:
    """Move a spectrogram, shape (n_frames, 112), up by semitones, between bins in proportion."""
    places = np.clip(np.arange(N_BINS) - semitones * BINS_A_SEMITONE, 0, N_BINS - 1)
    left = np.minimum(places.astype(np.int64), N_BINS - 2)
    share = torch.from_numpy(places - left).float()
    return frames[:, left] * (1 - share) + frames[:, left + 1] * share


def codes_of(vectors: F32) -> I8:
    """Write each number of vectors of length 1 into a byte."""
    codes: I8 = np.clip(np.rint(vectors * SCALE), -127, 127).astype(np.int8)
    return codes


def to_text(vectors: F32) -> str:
    """Write down what the index keeps of a recording: every second vector, a byte a number, as base64."""
    return b64encode(codes_of(vectors[::INDEX_STEP]).tobytes()).decode("ascii")


def from_text(text: str) -> F32:
    """
    Read what `to_text` wrote, shape (n, 128).

    Raises:
        InputError: It is no such text.
    """
    try:
        codes = np.frombuffer(b64decode(text, validate=True), np.int8).reshape(-1, N_DIMENSIONS)
    except ValueError as broken:
        raise InputError(f"A fingerprint is no base64 of vectors of {N_DIMENSIONS} bytes: {text[:20]!r}...") from broken
    return codes.astype(np.float32) / np.float32(SCALE)
