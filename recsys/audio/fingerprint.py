"""
The fingerprint: a small network that hears a second of music and places it where it places the same second distorted.

Sound at 8 kHz becomes a spectrogram on a logarithmic scale of frequency, on which another pitch is a shift; segments of
1.1 s every half second become vectors of length 1. Time and frequency are first cut into patches of 4 by 4, which costs
a tenth of what looking at each point would, then looked at by plain 3 by 3 filters.

Source of the idea: Chang, Lee, Park, Lim, Lee, Ko, Han, Neural Audio Fingerprint for High-Specific Audio Retrieval
Based on Contrastive Learning (ICASSP 2021).
"""

from functools import cache

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

RATE_HZ = 8_000
N_FFT, HOP = 1_024, 128  # 128 ms every 16 ms
N_BINS, LOWEST_HZ, HIGHEST_HZ = 112, 160.0, 3_800.0  # some two bins a semitone
N_FRAMES, FRAMES_APART = 64, 32  # of a segment, and from one to the next: 0.5 s
N_SAMPLES = N_FFT + (N_FRAMES - 1) * HOP  # of a segment: 1.14 s
CHANNELS = (64, 96, 128, 128, 192)
STRIDES = (1, 2, 1, 2)
N_SQUEEZED, N_DIMENSIONS = 32, 128
QUIET = 1e-3  # magnitude below which a bin counts as silent, for sound of level 1


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


def segments(frames: torch.Tensor) -> torch.Tensor:
    """Cut frames, shape (n_frames, 112), into segments, shape (n, 64, 112); segment i begins at i * 0.512 s."""
    cut: torch.Tensor = frames.unfold(0, N_FRAMES, FRAMES_APART)
    return cut.transpose(1, 2)


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
    """Segments to vectors, 0.66 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Sequential(nn.Conv2d(1, CHANNELS[0], 4, stride=4), nn.BatchNorm2d(CHANNELS[0]), nn.ReLU())
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())
                for n_in, n_out, stride in zip(CHANNELS[:-1], CHANNELS[1:], STRIDES, strict=True)
            )
        )
        self.squeeze = nn.Conv2d(CHANNELS[-1], N_SQUEEZED, 1)
        n_places = (N_FRAMES // 16) * (N_BINS // 16)
        self.place = nn.Linear(N_SQUEEZED * n_places, N_DIMENSIONS)

    @override
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Place segments, shape (B, 64, 112), at vectors of length 1, shape (B, 128); their level does not count."""
        level, spread = x.mean(dim=(1, 2), keepdim=True), x.std(dim=(1, 2), keepdim=True)
        x = ((x - level) / (spread + 1e-3))[:, None]  # (B,1,64,112)
        x = self.layers(self.patches(x))  # (B,64,16,28) -> (B,192,4,7)
        places: torch.Tensor = self.place(self.squeeze(x).flatten(1))  # (B,32,4,7) -> (B,128)
        return functional.normalize(places, dim=1)
