"""
Log-mel spectrograms, computed as for the training of musicnn: 16 kHz, frames of 32 ms every 16 ms, 96 mel bands.

Conventions: Hann window, centred frames with zero padding at both ends, power spectrum, mel scale and unit-area bands
of Slaney's Auditory Toolbox (linear below 1 kHz, logarithmic above), then log10(1 + 10,000 x).
"""

from functools import cache

import torch

RATE_HZ = 16_000
N_FFT, HOP = 512, 256
N_MELS = 96
LINEAR_HZ = 200 / 3  # width of one mel below 1 kHz [Hz]
BREAK_HZ = 1000.0
LOG_STEP = torch.tensor(6.4).log().item() / 27  # above 1 kHz, 27 mels span a factor of 6.4 in frequency


def log_mel(mono: torch.Tensor) -> torch.Tensor:
    """Return log-mel frames, shape (..., 1 + n // 256, 96), float32, of 16 kHz audio, shape (..., n)."""
    spectrum = torch.stft(
        mono, N_FFT, HOP, window=torch.hann_window(N_FFT), center=True, pad_mode="constant", return_complex=True
    )  # (..., 257, frames)
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.log10(1 + 10_000 * (power.transpose(-1, -2) @ filterbank(N_FFT, N_MELS)))  # (..., frames, 96)


@cache
def filterbank(n_fft: int, n_mels: int) -> torch.Tensor:
    """Return triangular mel filters for spectra of 16 kHz audio, shape (n_fft // 2 + 1, n_mels), float32."""
    hz = torch.linspace(0, RATE_HZ / 2, n_fft // 2 + 1, dtype=torch.float64)
    edges = _hz_of(torch.linspace(0, _mel_of(RATE_HZ / 2), n_mels + 2, dtype=torch.float64))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (hz[:, None] - low) / (centre - low)
    falling = (high - hz[:, None]) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * 2 / (high - low)).float()


def _mel_of(hz: float) -> float:
    return BREAK_HZ / LINEAR_HZ + torch.tensor(hz / BREAK_HZ, dtype=torch.float64).log().item() / LOG_STEP


def _hz_of(mels: torch.Tensor) -> torch.Tensor:
    first = BREAK_HZ / LINEAR_HZ
    return torch.where(mels < first, mels * LINEAR_HZ, BREAK_HZ * torch.exp(LOG_STEP * (mels - first)))
