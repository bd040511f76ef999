"""
A head: a small network from the encoded inputs of a track to its tags.

The network is a committee of perceptrons with two hidden layers that are trained side by side; the prediction is the
mean of their probabilities. If every track has one tag of the kind, the tags exclude each other and their probabilities
sum to 1 (softmax); otherwise each tag has a probability of its own (sigmoid). Training takes soft targets and weights,
so that labels that were guessed (`recsys.tags.propagation`) can count less than labels that a person gave.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from recsys.arrays import F32, F64

FLOOR = 1e-6  # of a probability, so that its logarithm is finite


@dataclass(frozen=True)
class HeadSettings:
    """
    How a head is trained.

    Attributes:
        members: Networks of the committee.
        width: Units of each hidden layer.
        dropout: Share of units that are dropped in training, 0..1.
        epochs: Passes over the training tracks.
        min_steps: Least number of steps; few tracks get more passes.
        batch_size: Tracks per step.
        learning_rate: Peak learning rate of AdamW; it rises over the first tenth and then falls to 0.
        weight_decay: Weight decay of AdamW.
        seed: Seed of weights and order.
    """

    members: int = 4
    width: int = 256
    dropout: float = 0.3
    epochs: int = 20
    min_steps: int = 200
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 7


class Head(nn.Module):
    """The network: encoded inputs, shape (B, n_inputs) -> logits of each member, shape (members, B, n_tags)."""

    def __init__(self, n_inputs: int, n_tags: int, settings: HeadSettings) -> None:
        super().__init__()
        self.dropout = settings.dropout
        sizes = (n_inputs, settings.width, settings.width, n_tags)
        shapes = [(settings.members, *pair) for pair in pairwise(sizes)]
        self.weights = nn.ParameterList((2 * torch.rand(shape) - 1) / shape[1] ** 0.5 for shape in shapes)
        self.biases = nn.ParameterList(torch.zeros(shape[0], 1, shape[2]) for shape in shapes)

    @override
    def forward(self, encoded: torch.Tensor) -> torch.Tensor:
        first, second, last = zip(self.biases, self.weights, strict=True)
        hidden = encoded.expand(len(self.weights[0]), -1, -1)  # (B,I) -> (M,B,I)
        for bias, weight in (first, second):
            hidden = functional.relu(torch.baddbmm(bias, hidden, weight))  # (M,B,W)
            hidden = functional.dropout(hidden, self.dropout, self.training)
        return torch.baddbmm(last[0], hidden, last[1])  # (M,B,T)


@dataclass(frozen=True, eq=False)
class Examples:
    """
    Tracks to train on.

    Attributes:
        encoded: Encoded inputs. Shape (n, n_inputs).
        targets: Share of each tag, 0..1. Shape (n, n_tags); rows sum to 1 if tags exclude each other.
        weights: Weight of each track, >= 0. Shape (n,).
        is_exclusive: Whether tags exclude each other.
    """

    encoded: F32
    targets: F32
    weights: F32
    is_exclusive: bool


def loss(
    head: Head, encoded: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, *, exclusive: bool
) -> torch.Tensor:
    """Return the weighted mean cross-entropy of a batch, summed over the members and, unless exclusive, over tags."""
    logits = head(encoded)  # (M,B,T)
    if exclusive:
        losses = -(targets * logits.log_softmax(-1)).sum(-1)  # (M,B)
    else:
        losses = functional.binary_cross_entropy_with_logits(logits, targets.expand_as(logits), reduction="none").sum(
            -1
        )
    mean: torch.Tensor = (losses * weights).sum() / weights.sum()
    return mean


def n_batches(n: int, settings: HeadSettings) -> tuple[int, int]:
    """Return the number of epochs and of batches per epoch for n tracks; the rest of an epoch is left out."""
    per_epoch = n // min(settings.batch_size, n)
    return max(settings.epochs, -(-settings.min_steps // per_epoch)), per_epoch


def batches(examples: Examples, settings: HeadSettings) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """
    Yield encoded inputs, targets and weights of batches of equal size.

    Tracks come in random order, each at most once per epoch: those that do not fill a batch are left out of an epoch.
    """
    rng = np.random.default_rng(settings.seed)
    arrays = [torch.from_numpy(array) for array in (examples.encoded, examples.targets, examples.weights)]
    size = min(settings.batch_size, len(examples.encoded))
    n_epochs, per_epoch = n_batches(len(examples.encoded), settings)
    for _ in range(n_epochs):
        order = torch.from_numpy(rng.permutation(len(examples.encoded)))
        for start in range(0, per_epoch * size, size):
            rows = order[start : start + size]
            encoded, targets, weights = (array[rows] for array in arrays)
            yield encoded, targets, weights


def fit(examples: Examples, settings: HeadSettings = HeadSettings()) -> Head:
    """
    Train a head; the same examples, settings and number of threads give the same weights.

    Raises:
        ValueError: No track has a weight above 0.
    """
    examples = _with_weight(examples)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        head = Head(examples.encoded.shape[1], examples.targets.shape[1], settings)
        optimizer = torch.optim.AdamW(head.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        n_steps = prod(n_batches(len(examples.encoded), settings))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=n_steps + 1, pct_start=0.1
        )
        for encoded, targets, weights in batches(examples, settings):
            optimizer.zero_grad()
            torch.autograd.backward(loss(head, encoded, targets, weights, exclusive=examples.is_exclusive))
            optimizer.step()
            schedule.step()
    return head.eval()


def _with_weight(examples: Examples) -> Examples:
    """Return the tracks that count: a batch of others would have no mean loss."""
    counts = examples.weights > 0
    if not counts.any():
        raise ValueError("examples: found no track with a weight above 0, expected at least one")
    encoded, targets, weights = (array[counts] for array in (examples.encoded, examples.targets, examples.weights))
    return Examples(encoded, targets, weights, examples.is_exclusive)


def scores(head: Head, encoded: F32, *, exclusive: bool) -> F64:
    """
    Return the committee's logits: of the mean probability of its members.

    Returns:
        Shape (n, n_tags), float64: log p if tags exclude each other, otherwise log p / (1 - p).
    """
    with torch.inference_mode():
        logits = head(torch.from_numpy(encoded))
        mean = (logits.softmax(-1) if exclusive else logits.sigmoid()).double().mean(0).clamp(FLOOR, 1 - FLOOR)
        found: F64 = (mean.log() if exclusive else mean.logit()).numpy()
    return found
