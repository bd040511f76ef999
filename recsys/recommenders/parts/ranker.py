"""
Listwise learning to rank: a network with one hidden layer scores candidates by their features.

The loss is the cross-entropy of a softmax over each user's own candidates, so only the order within a list is learned,
and scores are not comparable between users. Trained with torch, applied with numpy.

Source: Cao, Qin, Liu, Tsai, Li, Learning to Rank: From Pairwise Approach to Listwise Approach (ICML 2007).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from recsys.arrays import F32, Rows

N_BATCH = 128  # users per step
WEIGHT_DECAY = 1e-3


@dataclass(frozen=True, eq=False)
class Examples:
    """
    Candidates of some users, and which of them each user chose later.

    Attributes:
        features: Shape (n_candidates, n_features), float32.
        chosen: Which were chosen, shape (n_candidates,), bool; at least one per user.
        starts: Where each user's candidates begin, and the end, shape (n_users + 1,).
    """

    features: F32
    chosen: npt.NDArray[np.bool_]
    starts: Rows

    def of(self, users: Rows) -> tuple[Rows, Rows]:
        """Return the candidates of some users and, for each, the place of its user in `users`."""
        counts = self.starts[users + 1] - self.starts[users]
        place = np.repeat(np.arange(len(users)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        return self.starts[users][place] + np.arange(counts.sum()) - first, place


@dataclass(frozen=True, eq=False)
class Ranker:
    """
    Score = out . silu(hidden . scaled features); made by `Ranker.fit`.

    Attributes:
        mean: Of each feature, shape (n_features,).
        std: Of each feature, > 0, shape (n_features,).
        hidden: Shape (n_features + 1, n_hidden): the last row is the bias.
        out: Shape (n_hidden,).
    """

    mean: F32
    std: F32
    hidden: F32
    out: F32

    @classmethod
    def fit(cls, examples: Examples, *, n_hidden: int, epochs: int, learning_rate: float, seed: int) -> Self:
        """Train on what users chose; the same examples and seed give the same ranker."""
        mean, std = examples.features.mean(axis=0), examples.features.std(axis=0) + np.float32(1e-6)
        rng = np.random.default_rng(seed)
        n_features = len(mean) + 1
        hidden = _parameter(rng.standard_normal((n_features, n_hidden)) / np.sqrt(n_features))
        out = _parameter(rng.standard_normal(n_hidden) / np.sqrt(n_hidden))
        optimizer = torch.optim.AdamW([hidden, out], lr=learning_rate, weight_decay=WEIGHT_DECAY)
        for batch in _batches(len(examples.starts) - 1, epochs, rng):
            rows, place = examples.of(batch)
            features = torch.from_numpy(scaled(examples.features[rows], mean, std))
            scores = torch.nn.functional.silu(features @ hidden) @ out  # (n_rows,)
            loss = listwise_loss(scores, torch.from_numpy(place), torch.from_numpy(examples.chosen[rows]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return cls(mean, std, hidden.detach().numpy(), out.detach().numpy())

    @classmethod
    def of_first(cls, n_features: int) -> Self:
        """Return a ranker by the first feature alone, where there are no examples: silu(x) - silu(-x) = x."""
        hidden = np.zeros((n_features + 1, 2), np.float32)
        hidden[0] = 1, -1
        plain = np.zeros(n_features, np.float32), np.ones(n_features, np.float32)
        return cls(*plain, hidden, np.array([1, -1], np.float32))

    def score(self, features: F32) -> F32:
        """Return scores of candidates, shape (n_candidates,); comparable within one user's list only."""
        inner = scaled(features, self.mean, self.std) @ self.hidden
        scores: F32 = (inner / (1 + np.exp(-np.clip(inner, -30, 30)))) @ self.out
        return scores

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Return the ranker whose `vars` these arrays are."""
        return cls(arrays["mean"], arrays["std"], arrays["hidden"], arrays["out"])


def scaled(features: F32, mean: F32, std: F32) -> F32:
    """Standardise every feature to mean 0 and std 1, clip to -8..8, and append a 1 for the bias."""
    clipped = np.clip((features - mean) / std, -8, 8)
    return np.column_stack([clipped, np.ones(len(features), np.float32)]).astype(np.float32)


def listwise_loss(scores: torch.Tensor, place: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the mean, over the chosen, of -log softmax of their score among their user's candidates."""
    n_users = int(place[-1]) + 1
    highest = torch.full((n_users,), -torch.inf).scatter_reduce(0, place, scores.detach(), "amax")
    total = torch.zeros(n_users).index_add(0, place, torch.exp(scores - highest[place]))
    log_share = scores - highest[place] - torch.log(total)[place]
    return -log_share[chosen].mean()


def _parameter(start: npt.NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(start.astype(np.float32)).requires_grad_()


def _batches(n_users: int, epochs: int, rng: np.random.Generator) -> Iterator[Rows]:
    for _ in range(epochs):
        order = rng.permutation(n_users)
        yield from (order[start : start + N_BATCH] for start in range(0, n_users, N_BATCH))
