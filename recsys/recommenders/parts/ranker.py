"""
Listwise learning to rank: a neural network with one hidden layer scores candidates by their features.

The loss is the softmax cross-entropy over each user's candidates. It depends on the order of one user's candidates
only, so scores of different users are not comparable. Trained with torch, applied with numpy. Used by
`recommenders.blend`.

Source: Cao, Qin, Liu, Tsai, Li, Learning to Rank: From Pairwise Approach to Listwise Approach (ICML 2007).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from recsys.arrays import F32, Rows
from recsys.recommenders.parts.standardising import scale_of

N_BATCH = 128  # users per gradient step
WEIGHT_DECAY = 1e-3


@dataclass(frozen=True, eq=False)
class Examples:
    """
    Training examples: the candidates of some users, and whether the user played each one later.

    Attributes:
        features: Features of the candidates, sorted by user. Shape (n_candidates, n_features), float32.
        chosen: Labels: True if the user played the candidate later; at least one per user. Shape (n_candidates,), bool.
        user_offsets: Index of each user's first candidate, and n_candidates as last entry. Shape (n_users + 1,).
    """

    features: F32
    chosen: npt.NDArray[np.bool_]
    user_offsets: Rows

    def of_users(self, users: Rows) -> tuple[Rows, Rows]:
        """Return the rows of these users' candidates, and the index into `users` of each candidate's user."""
        counts = self.user_offsets[users + 1] - self.user_offsets[users]
        user = np.repeat(np.arange(len(users)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        return self.user_offsets[users][user] + np.arange(counts.sum()) - first, user


@dataclass(frozen=True, eq=False)
class Ranker:
    """
    Score = silu(standardised features @ hidden) @ out.

    Attributes:
        mean: Mean of each feature. Shape (n_features,).
        std: Standard deviation of each feature, > 0; infinite if it was constant (see `scale_of`). Shape (n_features,).
        hidden: Weights of the hidden layer; the last row is the bias. Shape (n_features + 1, n_hidden).
        out: Weights of the output layer. Shape (n_hidden,).
    """

    mean: F32
    std: F32
    hidden: F32
    out: F32

    @classmethod
    def fit(cls, examples: Examples, *, n_hidden: int, epochs: int, learning_rate: float, seed: int) -> Self:
        """Train on labelled candidates; the same examples and seed give the same ranker."""
        mean, std = examples.features.mean(axis=0), scale_of(examples.features)
        inputs = torch.from_numpy(standardised(examples.features, mean, std))
        rng = np.random.default_rng(seed)
        n_features = len(mean) + 1
        hidden = _parameter(rng.standard_normal((n_features, n_hidden)) / np.sqrt(n_features))
        out = _parameter(rng.standard_normal(n_hidden) / np.sqrt(n_hidden))
        optimizer = torch.optim.AdamW([hidden, out], lr=learning_rate, weight_decay=WEIGHT_DECAY)
        for batch in _batches(len(examples.user_offsets) - 1, epochs, rng):
            rows, user = examples.of_users(batch)
            scores = (
                torch.nn.functional.silu(inputs.index_select(0, torch.from_numpy(rows)) @ hidden) @ out
            )  # (n_rows,)
            loss = listwise_loss(scores, torch.from_numpy(user), torch.from_numpy(examples.chosen[rows]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return cls(mean, std, hidden.detach().numpy(), out.detach().numpy())

    @classmethod
    def by_first_feature(cls, n_features: int) -> Self:
        """Return a ranker whose score is the first feature, for use without examples: silu(x) - silu(-x) = x."""
        hidden = np.zeros((n_features + 1, 2), np.float32)
        hidden[0] = 1, -1
        mean, std = np.zeros(n_features, np.float32), np.ones(n_features, np.float32)
        return cls(mean, std, hidden, np.array([1, -1], np.float32))

    def score(self, features: F32) -> F32:
        """Return the score of each candidate; not comparable between users. Shape (n_candidates,)."""
        inner = standardised(features, self.mean, self.std) @ self.hidden
        scores: F32 = (inner / (1 + np.exp(-np.clip(inner, -30, 30)))) @ self.out
        return scores

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> Self:
        """Rebuild a ranker from its saved attributes."""
        return cls(arrays["mean"], arrays["std"], arrays["hidden"], arrays["out"])


def standardised(features: F32, mean: F32, std: F32) -> F32:
    """Standardise each feature to mean 0 and std 1, clip to -8..8, and append a column of ones for the bias."""
    clipped = np.clip((features - mean) / std, -8, 8)
    return np.column_stack([clipped, np.ones(len(features), np.float32)]).astype(np.float32)


def listwise_loss(scores: torch.Tensor, user: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """
    Return the softmax cross-entropy over each user's candidates, averaged over the chosen candidates.

    Args:
        scores: Score of each candidate, sorted by user. Shape (n_candidates,), float32.
        user: User of each candidate, 0..n_users - 1. Shape (n_candidates,), int64.
        chosen: Labels. Shape (n_candidates,), bool.
    """
    n_users = int(user[-1]) + 1
    highest = torch.full((n_users,), -torch.inf).scatter_reduce(0, user, scores.detach(), "amax")
    total = torch.zeros(n_users).index_add(0, user, torch.exp(scores - highest[user]))
    log_probability = scores - highest[user] - torch.log(total)[user]
    return -log_probability[chosen].mean()


def _parameter(start: npt.NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(start.astype(np.float32)).requires_grad_()


def _batches(n_users: int, epochs: int, rng: np.random.Generator) -> Iterator[Rows]:
    for _ in range(epochs):
        order = rng.permutation(n_users)
        yield from (order[start : start + N_BATCH] for start in range(0, n_users, N_BATCH))
