"""
The melody model: a recurrent network (GRU) that gives probabilities of the next interval, and then of the next length.

    features of the next note -> embeddings -> GRU -> interval
                                                   -> interval, embedded -> length
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from recsys.audio.weights_file import save_tensors, with_weights
from recsys.compose.tokens import N_INTERVALS, N_LENGTHS, SIZES, Encoded

IGNORED = -1  # tokens of the padding
LONGEST = 256  # notes of a melody that are learnt from


@dataclass(frozen=True)
class Training:
    """
    How the network is trained.

    Attributes:
        epochs: Passes over the melodies, 1 or more.
        batch_size: Melodies per step.
        learning_rate: Largest step size of Adam; it rises and falls once (one-cycle).
        seed: Seed of the initial weights and the order of melodies.
    """

    epochs: int = 8
    batch_size: int = 16
    learning_rate: float = 4e-3
    seed: int = 0


class MelodyNetwork(nn.Module):
    """The network; `width` is the size of the GRU's state."""

    def __init__(self, width: int = 128, embedding: int = 16) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding) for size in SIZES)
        self.gru = nn.GRU(embedding * len(SIZES), width, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.interval = nn.Linear(width + embedding * len(SIZES), N_INTERVALS)
        self.chosen = nn.Embedding(N_INTERVALS, embedding)
        self.length = nn.Linear(width + embedding * (len(SIZES) + 1), N_LENGTHS)

    def states(self, features: torch.Tensor, before: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a state per note, (B, N, D), and the GRU's last one, from features (B, N, 10) and the state before."""
        embedded = torch.cat([table(features[..., n]) for n, table in enumerate(self.embeddings)], dim=-1)
        states, last = self.gru(embedded, before)
        return torch.cat([self.drop(states), embedded], dim=-1), last

    def intervals(self, states: torch.Tensor) -> torch.Tensor:
        """Return logits of intervals, (..., N_INTERVALS)."""
        logits: torch.Tensor = self.interval(states)
        return logits

    def lengths(self, states: torch.Tensor, intervals: torch.Tensor) -> torch.Tensor:
        """Return logits of lengths after the intervals were chosen, (..., N_LENGTHS)."""
        logits: torch.Tensor = self.length(torch.cat([states, self.chosen(intervals.clamp(min=0))], dim=-1))
        return logits

    def loss(self, features: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return the summed negative log likelihood [nat]: (B, N, 10), (B, N, 2) -> scalar."""
        states, _ = self.states(features)
        interval, length = tokens[..., 0], tokens[..., 1]
        pairs = ((self.intervals(states), interval), (self.lengths(states, interval), length))
        losses = [
            cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
            for logits, targets in pairs
        ]
        return losses[0] + losses[1]


def train(melodies: list[Encoded], training: Training, network: MelodyNetwork | None = None) -> MelodyNetwork:
    """
    Train a network, or train a given one further.

    Args:
        melodies: At least one.
        training: Settings.
        network: The network that is trained further; None begins with random weights.
    """
    torch.manual_seed(training.seed)
    rng = np.random.default_rng(training.seed)
    learned = network or MelodyNetwork()
    n_steps = training.epochs * -(-len(melodies) // training.batch_size)
    optimizer = torch.optim.Adam(learned.parameters(), training.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.learning_rate, n_steps + 1)
    learned.train()
    for _ in range(training.epochs):
        for rows in _batches(melodies, training.batch_size, rng):
            features, tokens = _padded([melodies[row] for row in rows])
            optimizer.zero_grad()
            loss = learned.loss(features, tokens) / (tokens[..., 0] != IGNORED).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learned.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return learned.eval()


def _batches(melodies: list[Encoded], size: int, rng: np.random.Generator) -> list[list[int]]:
    """Return rows of melodies of similar length, in random order."""
    noisy = [len(melody.tokens) * rng.uniform(0.8, 1.25) for melody in melodies]
    order = np.argsort(noisy, kind="stable")
    batches = [order[first : first + size].tolist() for first in range(0, len(order), size)]
    return [batches[place] for place in rng.permutation(len(batches))]


def _padded(melodies: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    features = [torch.from_numpy(melody.features[:LONGEST]) for melody in melodies]
    tokens = [torch.from_numpy(melody.tokens[:LONGEST]) for melody in melodies]
    return pad_sequence(features, batch_first=True), pad_sequence(tokens, batch_first=True, padding_value=IGNORED)


@torch.no_grad()
def bits_per_note(network: MelodyNetwork, melodies: list[Encoded]) -> float:
    """Return the mean of -log2 of the probability of a note, interval and length, over all notes but the first ones."""
    total, n_notes = 0.0, 0
    for melody in melodies:
        features, tokens = _padded([melody])
        total += float(network.loss(features, tokens))
        n_notes += tokens.shape[1]
    return total / float(np.log(2)) / n_notes


def save(network: MelodyNetwork, path: Path) -> None:
    """Write the weights as half-precision arrays."""
    save_tensors(path, {name: tensor.half() for name, tensor in network.state_dict().items()})


def load(path: Path) -> MelodyNetwork:
    """
    Read the weights.

    Raises:
        SetupError: The file is missing or damaged, or holds the weights of another network.
    """
    return with_weights(MelodyNetwork(), path)
