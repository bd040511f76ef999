"""
The network of `sequential`, and its loss.

Source: Kang, McAuley, Self-Attentive Sequential Recommendation (ICDM 2018); Bengio, Senecal, Adaptive Importance
Sampling to Accelerate Training of a Neural Probabilistic Language Model (2008).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from typing_extensions import override

from recsys.arrays import Rows

HEADS = 2
START = 0.02  # size of vectors at the start: what few have played stays small, which ranks better than a start at 1
FLATTENED = 0.75  # negatives are drawn by plays to this power


class Block(nn.Module):
    """Each place looks back at the places before it, then thinks for itself."""

    def __init__(self, factors: int, dropout: float) -> None:
        super().__init__()
        self.looks, self.thinks = nn.LayerNorm(factors), nn.LayerNorm(factors)
        self.query_key_value, self.said = nn.Linear(factors, 3 * factors), nn.Linear(factors, factors)
        self.inner, self.outer = nn.Linear(factors, factors), nn.Linear(factors, factors)
        self.dropout = nn.Dropout(dropout)

    @override
    def forward(self, x: Tensor) -> Tensor:
        n_rows, length, factors = x.shape
        heads = self.query_key_value(self.looks(x)).view(n_rows, length, 3, HEADS, factors // HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # (3,B,H,L,D/H)
        said = F.scaled_dot_product_attention(query, key, value, is_causal=True)  # padding comes last: never seen
        x = x + self.dropout(self.said(said.transpose(1, 2).reshape(x.shape)))
        thought: Tensor = self.dropout(self.outer(F.gelu(self.inner(self.thinks(x)))))
        return x + thought


class Network(nn.Module):
    """From tracks and gaps, shape (B, L), to states, shape (B, L, D); a track's vector is its input and its output."""

    def __init__(
        self, n_tracks: int, n_gaps: int, *, factors: int, blocks: int, max_length: int, dropout: float
    ) -> None:
        super().__init__()
        self.tracks = nn.Embedding(n_tracks + 1, factors)  # the last row is padding
        self.positions = nn.Parameter(torch.zeros(max_length, factors))
        self.gaps = nn.Parameter(torch.zeros(n_gaps, factors))
        self.blocks = nn.Sequential(*(Block(factors, dropout) for _ in range(blocks)))
        self.last, self.dropout = nn.LayerNorm(factors), nn.Dropout(dropout)
        nn.init.normal_(self.tracks.weight, std=START)

    @override
    def forward(self, tracks: Tensor, gaps: Tensor) -> Tensor:
        x = self.tracks(tracks) + self.positions[: tracks.shape[1]] + F.embedding(gaps, self.gaps)
        states: Tensor = self.last(self.blocks(self.dropout(x)))
        return states


def drawn_how_often(played: Rows, n_tracks: int) -> Tensor:
    """Return how likely each track is drawn as a negative, shape (n_tracks,); none is impossible."""
    weights = (1 + np.bincount(played, minlength=n_tracks)) ** FLATTENED
    return torch.from_numpy((weights / weights.sum()).astype(np.float32))


def sampled_softmax(states: Tensor, vectors: Tensor, targets: Tensor, drawn: Tensor, likely: Tensor) -> Tensor:
    """
    Return the cross entropy over the target and drawn tracks, each drawn one standing for all that it was drawn from.

    exp(score) / (n * likely) of n drawn tracks has the sum over the catalogue as its mean. A target among the drawn is
    left out of them, for it is always there.

    Args:
        states: Shape (B, D), float32.
        vectors: Of all tracks, shape (>= n_tracks, D), float32.
        targets: Track rows, shape (B,), int64.
        drawn: Track rows, the same for all states, shape (n,), int64.
        likely: Probability that one draw is each track, shape (n_tracks,), float32.
    """
    right = (states * F.embedding(targets, vectors)).sum(-1, keepdim=True)  # (B,1)
    others = states @ F.embedding(drawn, vectors).T - torch.log(len(drawn) * likely[drawn])  # (B,D)*(D,n) -> (B,n)
    others = others.masked_fill(drawn == targets[:, None], -torch.inf)
    return F.cross_entropy(torch.cat([right, others], dim=1), torch.zeros_like(targets))


@contextmanager
def own_torch(seed: int) -> Iterator[None]:
    """Seed torch and take one thread, so that any machine draws and adds up the same; leave both as they were found."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(n_threads)
