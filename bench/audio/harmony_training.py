"""
Training of the networks that hear key and chords (`recsys/audio/features/harmony.py`), in torch.

The loss is the cross entropy of the key plus that of the chord of each frame. Part of the pieces are shortened at
random. Transposition needs no augmentation, because the network's convolutions are circular.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import nn
from typing_extensions import override

from bench.audio.rendered import Truth
from recsys.arrays import F32, F64, I64
from recsys.audio.features.chords import NAMES, NONE
from recsys.audio.features.harmony import DILATIONS, KERNEL, N_PROFILES, HarmonyNetwork, HarmonyNetworks, pooling
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import HOP_LONG, N_LONG

CHANNELS, HIDDEN, N_POOLED = 20, 32, 9
BATCH, LEARNING_RATE, DECAY, DROPOUT, LARGEST_GRADIENT = 32, 3e-3, 1e-2, 0.2, 1.0
CUT_SHARE, SHORTEST = 0.6, 46  # of the pieces, and the frames that are left at least (12 s)
UNKNOWN = -1  # label of frames without a label


class Example(NamedTuple):
    """Inputs, shape (n_frames, 6, 12); number of each frame's chord, shape (n_frames,), or -1; number of the key."""

    inputs: F32
    chords: I64
    key: int


def example(inputs: F32, truth: Truth) -> Example:
    """Return the training example of a piece."""
    return Example(inputs, chord_numbers(truth, len(inputs)), 2 * truth.tonic + truth.is_minor)


def chord_numbers(truth: Truth, n_frames: int) -> I64:
    """Return the position in `NAMES` of the chord in the middle of each frame; -1 where it is not known."""
    numbers = np.full(n_frames, UNKNOWN if truth.chords is None else NAMES.index(NONE))
    middles_s = (np.arange(n_frames) * HOP_LONG + N_LONG / 2) / RATE_HZ
    for chord in truth.chords or ():
        numbers[(middles_s >= chord.start_s) & (middles_s < chord.end_s)] = 2 * chord.root + chord.is_minor
    return numbers


class _Circular(nn.Module):
    """Convolution over pitch classes."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(n_out, n_in, 12) * 1.2 / math.sqrt(12 * n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.steps = (torch.arange(12)[None, :] - torch.arange(12)[:, None]) % 12

    @override
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        n_out, n_in, _ = self.weights.shape
        matrix = self.weights[:, :, self.steps].permute(1, 3, 0, 2).reshape(n_in * 12, n_out * 12)
        product = values.flatten(-2) @ matrix
        return product.reshape(*values.shape[:-2], n_out, 12) + self.bias[:, None]


class _Network(nn.Module):
    """The network of `HarmonyNetwork`, for batches."""

    def __init__(self, mean: F32, scale: F32) -> None:
        super().__init__()
        self.mean, self.scale = torch.from_numpy(mean), torch.from_numpy(scale)
        self.first = _Circular(N_PROFILES, CHANNELS)
        self.pitch = nn.ModuleList(_Circular(CHANNELS, CHANNELS) for _ in DILATIONS)
        self.time = nn.Parameter(torch.randn(len(DILATIONS), KERNEL, CHANNELS) * 0.3)
        self.chord, self.none = nn.Linear(CHANNELS, 2), nn.Linear(CHANNELS, 1)
        self.key, self.tonic = nn.Linear(N_POOLED * (CHANNELS + 2), HIDDEN), _Circular(HIDDEN, 2)
        self.dropout = nn.Dropout(DROPOUT)

    @override
    def forward(self, inputs: torch.Tensor, pools: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores of chords (batch, n_frames, 25) and of keys (batch, 24)."""
        channels = self._channels(inputs)
        by_pitch = self.chord(channels.transpose(2, 3)).flatten(2)
        chords = torch.cat([by_pitch, self.none(torch.relu(channels.mean(3)))], 2)
        posteriors = torch.softmax(chords, 2)[..., :-1].reshape(*chords.shape[:2], 12, 2).transpose(2, 3)
        both = torch.cat([channels, posteriors], 2)  # (batch, n_frames, H + 2, 12)
        pooled = torch.bmm(pools, both.flatten(2)).reshape(len(inputs), -1, 12)  # (batch, 9 (H + 2), 12)
        hidden = torch.relu(self.key(self.dropout(pooled.transpose(1, 2)))).transpose(1, 2)
        return chords, self.tonic(hidden).transpose(1, 2).flatten(1)

    def _channels(self, inputs: torch.Tensor) -> torch.Tensor:
        channels = torch.relu(self.first((inputs - self.mean[:, None]) / self.scale[:, None]))
        n = channels.shape[1]
        for pitch, time, dilation in zip(self.pitch, self.time, DILATIONS, strict=True):
            margin = KERNEL // 2 * dilation
            padded = nn.functional.pad(torch.relu(pitch(channels)), (0, 0, 0, 0, margin, margin))
            steps = [padded[:, k * dilation : k * dilation + n] * time[k][:, None] for k in range(KERNEL)]
            channels = channels + torch.stack(steps).sum(0)
        return channels

    def export(self) -> HarmonyNetwork:
        """Return the network as arrays."""
        blocks = [block for block in self.pitch if isinstance(block, _Circular)]
        tensors = {
            "mean": self.mean,
            "scale": self.scale,
            "first": self.first.weights,
            "first_bias": self.first.bias,
            "pitch": torch.stack([block.weights for block in blocks]),
            "pitch_bias": torch.stack([block.bias for block in blocks]),
            "time": self.time,
            "chord": self.chord.weight,
            "chord_bias": self.chord.bias,
            "none": self.none.weight,
            "none_bias": self.none.bias,
            "key": self.key.weight,
            "key_bias": self.key.bias,
            "tonic": self.tonic.weights,
            "tonic_bias": self.tonic.bias,
            "temperature": torch.ones(()),
        }
        return HarmonyNetwork(**{name: tensor.detach().numpy().copy() for name, tensor in tensors.items()})


def fit(epochs: Sequence[Sequence[Example]], seed: int) -> HarmonyNetwork:
    """Fit one network to the examples of each epoch in turn; the learning rate falls to 0 along a cosine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    some = np.concatenate([piece.inputs for piece in epochs[-1][:200]])
    network = _Network(some.mean(axis=(0, 2)), some.std(axis=(0, 2)) + np.float32(1e-3))
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=DECAY)
    n_batches = sum(math.ceil(len(epoch) / BATCH) for epoch in epochs)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=n_batches, pct_start=0.05)
    network.train()
    for number, epoch in enumerate(epochs):
        order, losses = rng.permutation(len(epoch)), []
        for start in range(0, len(epoch), BATCH):
            inputs, pools, chords, keys = _batch([_cut(epoch[row], rng) for row in order[start : start + BATCH]])
            chord_scores, key_scores = network(inputs, pools)
            chord_loss = nn.functional.cross_entropy(chord_scores.flatten(0, 1), chords.flatten(), ignore_index=UNKNOWN)
            key_loss = nn.functional.cross_entropy(key_scores, keys)
            optimizer.zero_grad()
            (key_loss + chord_loss).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            losses.append((key_loss.item(), chord_loss.item()))
        key, chord = np.mean(losses, axis=0)
        print(
            f"harmony: seed {seed}, epoch {number + 1}, training loss of keys {key:.3f}, of chords {chord:.3f}",
            flush=True,
        )
    return network.eval().export()


def _cut(piece: Example, rng: np.random.Generator) -> Example:
    n = len(piece.inputs)
    if n <= SHORTEST or rng.random() > CUT_SHARE:
        return piece
    kept = int(rng.integers(SHORTEST, n + 1))
    start = int(rng.integers(n - kept + 1))
    return Example(piece.inputs[start : start + kept], piece.chords[start : start + kept], piece.key)


def _batch(pieces: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    n = max(len(piece.inputs) for piece in pieces)
    inputs = np.zeros((len(pieces), n, N_PROFILES, 12), np.float32)
    pools = np.zeros((len(pieces), N_POOLED, n), np.float32)
    chords = np.full((len(pieces), n), UNKNOWN)
    for row, piece in enumerate(pieces):
        own = len(piece.inputs)
        inputs[row, :own], pools[row, :, :own], chords[row, :own] = piece.inputs, pooling(own), piece.chords
    keys = torch.tensor([piece.key for piece in pieces])
    return torch.from_numpy(inputs), torch.from_numpy(pools), torch.from_numpy(chords), keys


def calibrated(networks: HarmonyNetworks, pieces: Sequence[Example]) -> HarmonyNetworks:
    """Divide the scores of keys by the temperature with the highest likelihood on pieces that were not trained on."""
    keys = np.array([piece.key for piece in pieces])
    scores: F64 = np.array([np.log(networks.estimate(piece.inputs).keys + 1e-12) for piece in pieces])

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(scores / np.exp(log_temperature), axis=1)[np.arange(len(keys)), keys].mean())

    temperature = np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x)
    arrays = [{name: getattr(member, name) for name in HarmonyNetwork.names()} for member in networks.members]
    scaled = np.asarray(temperature, np.float32)
    return HarmonyNetworks(
        tuple(HarmonyNetwork(**own | {"temperature": own["temperature"] * scaled}) for own in arrays)
    )
