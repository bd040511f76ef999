"""
Networks that judge a note by what sounds around it (`around`) and by numbers about it (`traits`).

    what sounds -> 3 convolutions -> hidden layer --+-> hidden layer -> answers
                                  numbers, scaled --+

One answers for written notes: right, wrong or missing, and how late; the other for sounds: whether they are extra.
Weights and card are in `recsys/practice/weights`, made by `python -m bench.train_practice`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu
from typing_extensions import override

from recsys.arrays import F32, F64
from recsys.audio.weights_file import with_weights
from recsys.practice.around import SHAPE

WEIGHTS = Path(__file__).parent / "weights"
NOTES, SOUNDS, CARD = "notes.npz", "sounds.npz", "card.json"
VERDICTS = ("right", "wrong", "missing")
LATE_EDGES_S = np.linspace(-0.3, 0.3, 31)  # of the answers about time; one more below and above
LATE_S = np.concatenate([LATE_EDGES_S - 0.01, [LATE_EDGES_S[-1] + 0.01]])  # their middles
ONSET_EDGES_S = np.linspace(-0.45, 0.45, 31)  # of when a note begins: learnt, since it helps, and not used
N_NOTE_TRAITS, N_SOUND_TRAITS = 27, 31
N_ANSWERS = len(VERDICTS) + len(LATE_S) + len(ONSET_EDGES_S) + 1
CHANNELS, HIDDEN = 16, 96
DROPPED = 0.3
AT_ONCE = 256


class NoteNetwork(nn.Module):
    """The network; its answers are logits."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, n_traits: int, n_answers: int) -> None:
        super().__init__()
        wide = 2 * CHANNELS
        self.first = nn.Conv2d(SHAPE[0], CHANNELS, (3, 5), padding=(1, 2))
        self.second = nn.Conv2d(CHANNELS, wide, (3, 5), padding=(1, 2))
        self.third = nn.Conv2d(wide, wide, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(size) for size in (CHANNELS, wide, wide))
        self.seen = nn.Linear(wide * (SHAPE[1] // 4) * (SHAPE[2] // 8), HIDDEN)
        self.joined = nn.Linear(HIDDEN + n_traits, HIDDEN)
        self.answers = nn.Linear(HIDDEN, n_answers)
        self.drop = nn.Dropout(DROPPED)
        self.register_buffer("mean", torch.zeros(n_traits))
        self.register_buffer("std", torch.ones(n_traits))

    @override
    def forward(self, around: torch.Tensor, traits: torch.Tensor) -> torch.Tensor:
        """Return the answers (B, n_answers), from what sounds (B, *SHAPE) and numbers (B, n_traits)."""
        seen = max_pool2d(relu(self.norms[0](self.first(around))), 2)
        seen = max_pool2d(relu(self.norms[1](self.second(seen))), 2)
        seen = max_pool2d(relu(self.norms[2](self.third(seen))), (1, 2))
        hidden = relu(self.seen(self.drop(seen.flatten(1))))
        scaled = (traits - self.mean) / self.std
        hidden = relu(self.joined(torch.cat([hidden, scaled], dim=1)))
        answers: torch.Tensor = self.answers(self.drop(hidden))
        return answers

    @torch.inference_mode()
    def logits(self, around: F32, traits: F32) -> F64:
        """Return the answers for arrays, shape (n, n_answers)."""
        parts = [
            self(torch.from_numpy(around[first : first + AT_ONCE]), torch.from_numpy(traits[first : first + AT_ONCE]))
            for first in range(0, len(around), AT_ONCE)
        ]
        return torch.cat(parts).double().numpy()


@dataclass(frozen=True, eq=False)
class Networks:
    """The network for written notes, and the one for sounds."""

    notes: NoteNetwork
    sounds: NoteNetwork

    @classmethod
    def untrained(cls) -> "Networks":
        """Return networks with random weights."""
        return cls(NoteNetwork(N_NOTE_TRAITS, N_ANSWERS), NoteNetwork(N_SOUND_TRAITS, 1))

    @classmethod
    @cache
    def shipped(cls) -> "Networks":
        """
        Read the shipped networks, once.

        Raises:
            SetupError: A file of weights is damaged.
        """
        networks = cls.untrained()
        return cls(with_weights(networks.notes, WEIGHTS / NOTES), with_weights(networks.sounds, WEIGHTS / SOUNDS))


def probabilities(logits: F64) -> F64:
    """Return the softmax along the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
