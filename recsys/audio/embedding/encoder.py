"""
The encoder: a small convolutional network with separate filters for timbre and rhythm, pooled over time.

The front end has tall filters (timbre: 38 and 67 of 96 bands by 7 frames, maximum over frequency) and long filters
(rhythm: 128, 64 and 32 frames of one band, maximum over bands). Three residual layers of 7 frames follow. Their outputs
and those of the front end are pooled over time (mean and maximum); dense layers and a sigmoid predict the tags.

Sources: Pons, Nieto, Prockup, Schmidt, Ehmann, Serra, End-to-End Learning for Music Audio Tagging at Scale (ISMIR
2018); Pons, Serra, musicnn: Pre-trained Convolutional Neural Networks for Music Audio Tagging (ISMIR 2019).
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from recsys.audio.mel import N_MELS

N_FRAMES = 187  # per patch: 3 s
TIMBRAL_BANDS = (38, 67)
TEMPORAL_FRAMES = (128, 64, 32)
N_TIMBRAL, N_TEMPORAL, N_MIDDLE, N_DENSE, N_TAGS = 204, 51, 64, 200, 50
N_FRONT = len(TIMBRAL_BANDS) * N_TIMBRAL + len(TEMPORAL_FRAMES) * N_TEMPORAL  # 561
N_POOLED = N_FRONT + 3 * N_MIDDLE  # 753
EPSILON = 1e-3  # of batch normalisation, as the weights were trained


class EncoderOutput(NamedTuple):
    """
    Output for B patches.

    Attributes:
        mean, max: Channels pooled over time, shape (B, 753).
        dense: Output of the dense layer, shape (B, 200).
        logits: Tags before the sigmoid, shape (B, 50).
    """

    mean: torch.Tensor
    max: torch.Tensor
    dense: torch.Tensor
    logits: torch.Tensor


class TimbralFilters(nn.Module):
    """Filters that span many mel bands and few frames (timbre), with a maximum over frequency."""

    def __init__(self, n_bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, N_TIMBRAL, (7, n_bands), padding=(3, 0))
        self.norm = nn.BatchNorm2d(N_TIMBRAL, eps=EPSILON)

    @override
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activations = self.norm(functional.relu(self.conv(x)))  # (B,1,T,96) -> (B,204,T,97-n_bands)
        return torch.amax(activations, dim=3)  # (B,204,T)


class TemporalFilters(nn.Module):
    """Filters that span one mel band and many frames (rhythm), with a maximum over bands."""

    def __init__(self, n_frames: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, N_TEMPORAL, (n_frames, 1))
        self.norm = nn.BatchNorm2d(N_TEMPORAL, eps=EPSILON)
        self._padding = (0, 0, (n_frames - 1) // 2, n_frames // 2)  # for an even length, one frame more at the end

    @override
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activations = self.norm(
            functional.relu(self.conv(functional.pad(x, self._padding)))
        )  # (B,1,T,96) -> (B,51,T,96)
        return torch.amax(activations, dim=3)  # (B,51,T)


class MiddleLayer(nn.Module):
    """A convolution over seven frames and all channels."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(n_in, N_MIDDLE, 7, padding=3)
        self.norm = nn.BatchNorm1d(N_MIDDLE, eps=EPSILON)

    @override
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activations: torch.Tensor = self.norm(functional.relu(self.conv(x)))  # (B,n_in,T) -> (B,64,T)
        return activations


class Encoder(nn.Module):
    """The network: log-mel patches, shape (B, T, 96) -> EncoderOutput."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, eps=EPSILON)
        self.timbral = nn.ModuleList(TimbralFilters(n) for n in TIMBRAL_BANDS)
        self.temporal = nn.ModuleList(TemporalFilters(n) for n in TEMPORAL_FRAMES)
        self.middle = nn.ModuleList(MiddleLayer(n) for n in (N_FRONT, N_MIDDLE, N_MIDDLE))
        self.pool_norm = nn.BatchNorm1d(2 * N_POOLED, eps=EPSILON)
        self.dense = nn.Linear(2 * N_POOLED, N_DENSE)
        self.dense_norm = nn.BatchNorm1d(N_DENSE, eps=EPSILON)
        self.tags = nn.Linear(N_DENSE, N_TAGS)

    @override
    def forward(self, patches: torch.Tensor) -> EncoderOutput:
        if patches.shape[-1] != N_MELS:
            raise ValueError(f"patches: found {patches.shape[-1]} mel bands, expected {N_MELS}")
        x = self.norm(patches[:, None])  # (B,1,T,96)
        front = torch.cat([branch(x) for branch in (*self.timbral, *self.temporal)], dim=1)  # (B,561,T)
        first = self.middle[0](front)  # (B,64,T)
        second = first + self.middle[1](first)
        third = second + self.middle[2](second)
        channels = torch.cat([front, first, second, third], dim=1)  # (B,753,T)
        mean, maximum = channels.mean(dim=2), channels.amax(dim=2)
        pooled = torch.stack([maximum, mean], dim=2).flatten(1)  # (B,1506): per channel its maximum, then its mean
        dense = self.dense_norm(functional.relu(self.dense(self.pool_norm(pooled))))  # (B,200)
        return EncoderOutput(mean, maximum, dense, self.tags(dense))
