"""Training of the network that hears beats and downbeats (`recsys/audio/features/beats.py`), in torch."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from typing_extensions import override

from bench.audio.rendered import Truth
from recsys.arrays import F32, F64
from recsys.audio.features.beats import FIRST_STEP_S, STEPS_PER_SECOND, BeatNetwork

CHANNELS, LAYERS, KERNEL = 20, 8, 5
BATCH, LEARNING_RATE, DECAY, DROPOUT, LARGEST_GRADIENT = 16, 4e-3, 1e-3, 0.1, 1.0
CUT = 1_000  # steps of a training piece that are used at once (20 s)
NEIGHBOUR = 0.5  # target at the steps beside a beat
WEIGHTS = (2.0, 6.0)  # further weight of steps with a beat and with a downbeat
STRETCHED_SHARE, LARGEST_STRETCH = 0.7, 0.25  # of the pieces; natural logarithm of the factor
GAIN = 0.2  # standard deviation of the logarithm by which each input of half of the pieces is scaled


class BeatExample(NamedTuple):
    """Inputs, shape (n_steps, n_inputs), and targets of beats and downbeats, shape (n_steps, 2), both float32."""

    inputs: F32
    targets: F32


def example(inputs: F32, truth: Truth) -> BeatExample:
    """Return the training example of a piece."""
    both = (truth.beats_s, truth.downbeats_s)
    steps = [(np.array(times_s) - FIRST_STEP_S) * STEPS_PER_SECOND for times_s in both]
    return BeatExample(inputs, _targets(steps, len(inputs)))


def _targets(steps: Sequence[F64], n_steps: int) -> F32:
    """Return 1 at the (fractional) steps of beats and of downbeats and one half beside them, shape (n_steps, 2)."""
    targets = np.zeros((n_steps, len(steps)), np.float32)
    for column, own in enumerate(steps):
        for offset, target in ((-1, NEIGHBOUR), (1, NEIGHBOUR), (0, 1.0)):
            near = np.round(own).astype(int) + offset
            targets[near[(near >= 0) & (near < n_steps)], column] = target
    return targets


class _Network(nn.Module):
    """The network of `BeatNetwork`, for batches."""

    def __init__(self, mean: F32, scale: F32) -> None:
        super().__init__()
        self.mean, self.scale = torch.from_numpy(mean), torch.from_numpy(scale)
        self.first = nn.Conv1d(len(mean), CHANNELS, KERNEL, padding=KERNEL // 2)
        self.layers = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2 * 2**k, dilation=2**k) for k in range(LAYERS)
        )
        self.last = nn.Linear(CHANNELS, 2)
        self.dropout = nn.Dropout(DROPOUT)

    @override
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return scores (batch, n_steps, 2)."""
        hidden = torch.relu(self.first(((inputs - self.mean) / self.scale).transpose(1, 2)))
        for layer in self.layers:
            hidden = hidden + 0.5 * self.dropout(torch.relu(layer(hidden)))
        scores: torch.Tensor = self.last(hidden.transpose(1, 2))
        return scores

    def export(self) -> BeatNetwork:
        """Return the network as arrays."""
        layers = [layer for layer in self.layers if isinstance(layer, nn.Conv1d)]
        biases = [layer.bias for layer in layers if layer.bias is not None]
        tensors = {
            "mean": self.mean,
            "scale": self.scale,
            "first": self.first.weight.permute(2, 1, 0),
            "first_bias": self.first.bias,
            "layers": torch.stack([layer.weight.permute(2, 1, 0) for layer in layers]),
            "layer_biases": torch.stack(biases),
            "last": self.last.weight.T,
            "last_bias": self.last.bias,
        }
        return BeatNetwork(
            **{name: tensor.detach().numpy().copy() for name, tensor in tensors.items() if tensor is not None}
        )


def fit(train: Sequence[BeatExample], validation: Sequence[BeatExample], *, epochs: int, seed: int) -> BeatNetwork:
    """Fit the network; the learning rate falls to 0 along a cosine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    some = np.concatenate([piece.inputs for piece in train[:200]])
    network = _Network(some.mean(axis=0), some.std(axis=0) + np.float32(1e-3))
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=DECAY)
    n_batches = epochs * math.ceil(len(train) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=n_batches, pct_start=0.1)
    for epoch in range(epochs):
        network.train()
        order, losses = rng.permutation(len(train)), []
        for start in range(0, len(train), BATCH):
            loss = _loss(network, [_varied(train[row], rng) for row in order[start : start + BATCH]])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        network.eval()
        with torch.no_grad():
            unseen = np.mean(
                [_loss(network, validation[k : k + BATCH]).item() for k in range(0, len(validation), BATCH)]
            )
        print(
            f"beats: epoch {epoch + 1}, training loss {np.mean(losses):.4f}, validation loss {unseen:.4f}", flush=True
        )
    return network.export()


def _stretched(piece: BeatExample, rng: np.random.Generator) -> BeatExample:
    """Play a piece faster or slower, by up to a quarter."""
    factor = np.exp(rng.uniform(-LARGEST_STRETCH, LARGEST_STRETCH))
    n = len(piece.inputs)
    old = np.arange(int(n * factor)) / factor
    inputs = np.stack([np.interp(old, np.arange(n), column) for column in piece.inputs.T], axis=1)
    steps = [np.flatnonzero(column == 1) * factor for column in piece.targets.T]
    return BeatExample(inputs.astype(np.float32), _targets(steps, len(old)))


def _varied(original: BeatExample, rng: np.random.Generator) -> BeatExample:
    piece = _stretched(original, rng) if rng.random() < STRETCHED_SHARE else original
    start = int(rng.integers(max(1, len(piece.inputs) - CUT + 1)))
    inputs, targets = piece.inputs[start : start + CUT], piece.targets[start : start + CUT]
    gains = np.exp(rng.normal(0, GAIN, inputs.shape[1])) if rng.random() < 0.5 else np.ones(inputs.shape[1])
    return BeatExample(inputs * gains.astype(np.float32), targets)


def _loss(network: _Network, pieces: Sequence[BeatExample]) -> torch.Tensor:
    """Return the weighted cross entropy per step of pieces, which are padded with zeros without weight."""
    n = max(len(piece.inputs) for piece in pieces)
    inputs = np.zeros((len(pieces), n, pieces[0].inputs.shape[1]), np.float32)
    targets = np.zeros((len(pieces), n, 2), np.float32)
    is_inside = np.zeros((len(pieces), n, 1), np.float32)
    for row, piece in enumerate(pieces):
        own = len(piece.inputs)
        inputs[row, :own], targets[row, :own], is_inside[row, :own] = piece.inputs, piece.targets, 1
    expected = torch.from_numpy(targets)
    weights = (1 + (expected > 0) * torch.tensor(WEIGHTS)) * torch.from_numpy(is_inside)
    losses = nn.functional.binary_cross_entropy_with_logits(
        network(torch.from_numpy(inputs)), expected, reduction="none"
    )
    return (losses * weights).sum() / float(is_inside.sum())
