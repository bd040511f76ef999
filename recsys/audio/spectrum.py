"""
The two spectrograms of 16 kHz mono audio from which all features are computed, each computed only once.

Short frames resolve time (for rhythm and timbre), long frames resolve frequency (for tonality).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from recsys.arrays import F32
from recsys.audio.mel import RATE_HZ, filterbank

N_SHORT, HOP_SHORT = 1024, 160  # 64 ms every 10 ms
N_LONG, HOP_LONG = 8192, 4096  # 0.5 s every 0.26 s
N_BANDS = 40
FRAMES_PER_SECOND = RATE_HZ / HOP_SHORT
SILENCE_RMS = 1e-4  # root mean square below which audio counts as silent: -80 dBFS


@dataclass(frozen=True, eq=False)
class Spectrum:
    """
    Spectrograms of a recording, without padding at its ends.

    Attributes:
        short: Power of frames of 64 ms every 10 ms, shape (n_short, 513), float32.
        mel: Power of the short frames in 40 mel bands, shape (n_short, 40), float32.
        long: Magnitude of frames of 0.5 s every 0.26 s, shape (n_long, 4097), float32.
        duration_s: Length of the recording [s].
    """

    short: F32
    mel: F32
    long: F32
    duration_s: float

    @classmethod
    def of(cls, mono: F32) -> Self | None:
        """Compute the spectrograms of 16 kHz mono audio, shape (n,); None for silence and below 0.5 s."""
        if len(mono) < N_LONG or float(np.sqrt(np.square(mono, dtype=np.float64).mean())) < SILENCE_RMS:
            return None
        short = _frames(mono, N_SHORT, HOP_SHORT).square()
        mel = short @ filterbank(N_SHORT, N_BANDS)
        return cls(short.numpy(), mel.numpy(), long_frames(mono), len(mono) / RATE_HZ)


def long_frames(mono: F32) -> F32:
    """Return the magnitude of the long frames of 16 kHz mono audio of at least 0.5 s, shape (n_long, 4097)."""
    return np.asarray(_frames(mono, N_LONG, HOP_LONG).numpy())


def _frames(mono: F32, n_fft: int, hop: int) -> torch.Tensor:
    spectrum = torch.stft(
        torch.from_numpy(mono), n_fft, hop, window=torch.hann_window(n_fft), center=False, return_complex=True
    )  # (n_fft / 2 + 1, frames)
    return spectrum.abs().T.contiguous()
