"""
A small network that ranks candidates by evidence: one hidden layer, trained so that what a listener chose stands first.

The loss is the cross-entropy of a softmax over each listener's own candidates, so only the order within a list is
learned and no score needs to be comparable between listeners. Trained by torch, applied by numpy.

Source: Cao, Qin, Liu, Tsai, Li, Learning to Rank: From Pairwise Approach to Listwise Approach (ICML 2007).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from recsys.arrays import F32, Rows

N_BATCH = 128  # listeners a step
WEIGHT_DECAY = 1e-3


@dataclass(frozen=True, eq=False)
class Examples:
    """
    Candidates of some listeners, of whom each chose some.

    Attributes:
        evidence: Shape (n_candidates, n_features), float32.
        chosen: Which were chosen, shape (n_candidates,), bool; every listener chose at least one.
        starts: Where each listener's candidates begin, and the end, shape (n_listeners + 1,).
    """

    evidence: F32
    chosen: npt.NDArray[np.bool_]
    starts: Rows

    def of(self, listeners: Rows) -> tuple[Rows, Rows]:
        """Return the candidates of some listeners and, for each, its listener's place among them."""
        counts = self.starts[listeners + 1] - self.starts[listeners]
        place = np.repeat(np.arange(len(listeners)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        return self.starts[listeners][place] + np.arange(counts.sum()) - first, place


@dataclass(frozen=True, eq=False)
class Ranker:
    """
    Score = out . silu(hidden . scaled evidence); made by `Ranker.fit`.

    Attributes:
        mean: Of each feature, shape (n_features,).
        spread: Standard deviation of each feature, > 0.
        hidden: Shape (n_features + 1, n_hidden): the last row is the bias.
        out: Shape (n_hidden,).
    """

    mean: F32
    spread: F32
    hidden: F32
    out: F32

    @classmethod
    def fit(cls, examples: Examples, *, n_hidden: int, epochs: int, learning_rate: float, seed: int) -> Self:
        """Train on the choices of listeners; same examples and seed, same ranker."""
        mean, spread = examples.evidence.mean(axis=0), examples.evidence.std(axis=0) + np.float32(1e-6)
        rng = np.random.default_rng(seed)
        n_features = len(mean) + 1
        hidden = _parameter(rng.standard_normal((n_features, n_hidden)) / np.sqrt(n_features))
        out = _parameter(rng.standard_normal(n_hidden) / np.sqrt(n_hidden))
        optimizer = torch.optim.AdamW([hidden, out], lr=learning_rate, weight_decay=WEIGHT_DECAY)
        for batch in _batches(len(examples.starts) - 1, epochs, rng):
            rows, place = examples.of(batch)
            evidence = torch.from_numpy(scaled(examples.evidence[rows], mean, spread))
            scores = torch.nn.functional.silu(evidence @ hidden) @ out  # (n_rows,)
            loss = listwise_loss(scores, torch.from_numpy(place), torch.from_numpy(examples.chosen[rows]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return cls(mean, spread, hidden.detach().numpy(), out.detach().numpy())

    @classmethod
    def of_first(cls, n_features: int) -> Self:
        """Rank by the first feature alone: for where there is nothing to learn from. silu(x) - silu(-x) = x."""
        hidden = np.zeros((n_features + 1, 2), np.float32)
        hidden[0] = 1, -1
        plain = np.zeros(n_features, np.float32), np.ones(n_features, np.float32)
        return cls(*plain, hidden, np.array([1, -1], np.float32))

    def score(self, evidence: F32) -> F32:
        """Score candidates, shape (n_candidates,); comparable within one listener's list only."""
        inner = scaled(evidence, self.mean, self.spread) @ self.hidden
        scores: F32 = (inner / (1 + np.exp(-np.clip(inner, -30, 30)))) @ self.out
        return scores

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Take over the arrays of another ranker's `vars`."""
        return cls(**arrays)


def scaled(evidence: F32, mean: F32, spread: F32) -> F32:
    """Bring every feature to mean 0 and spread 1, at most 8 away, and append a 1 for the bias."""
    within = np.clip((evidence - mean) / spread, -8, 8)
    return np.column_stack([within, np.ones(len(evidence), np.float32)]).astype(np.float32)


def listwise_loss(scores: torch.Tensor, place: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Mean, over the chosen, of -log of the softmax of their score among their listener's candidates."""
    n_listeners = int(place[-1]) + 1
    highest = torch.full((n_listeners,), -torch.inf).scatter_reduce(0, place, scores.detach(), "amax")
    total = torch.zeros(n_listeners).index_add(0, place, torch.exp(scores - highest[place]))
    log_share = scores - highest[place] - torch.log(total)[place]
    return -log_share[chosen].mean()


def _parameter(start: npt.NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(start.astype(np.float32)).requires_grad_()


def _batches(n_listeners: int, epochs: int, rng: np.random.Generator) -> Iterator[Rows]:
    for _ in range(epochs):
        order = rng.permutation(n_listeners)
        yield from (order[start : start + N_BATCH] for start in range(0, n_listeners, N_BATCH))
