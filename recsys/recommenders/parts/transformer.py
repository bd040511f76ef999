"""
The transformer of the `sequential` model, and its sampled-softmax loss with logQ correction.

Sources: Kang, McAuley, Self-Attentive Sequential Recommendation (ICDM 2018); Bengio, Senecal, Adaptive Importance
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
INITIAL_STD = 0.02  # std of the initial vectors; with 1, rarely played tracks keep large random vectors and rank worse
PROPOSAL_EXPONENT = 0.75  # negatives are sampled in proportion to (1 + plays)**exponent


class Block(nn.Module):
    """A transformer block: causal self-attention, then a feed-forward layer, both with a residual connection."""

    def __init__(self, factors: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(factors), nn.LayerNorm(factors)
        self.query_key_value, self.projection = nn.Linear(factors, 3 * factors), nn.Linear(factors, factors)
        self.inner, self.outer = nn.Linear(factors, factors), nn.Linear(factors, factors)
        self.dropout = nn.Dropout(dropout)

    @override
    def forward(self, x: Tensor) -> Tensor:
        n_rows, length, factors = x.shape
        heads = self.query_key_value(self.attention_norm(x)).view(n_rows, length, 3, HEADS, factors // HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # (3,B,H,L,D/H)
        attended = F.scaled_dot_product_attention(
            query, key, value, is_causal=True
        )  # padding comes last, so no track attends to it
        x = x + self.dropout(self.projection(attended.transpose(1, 2).reshape(x.shape)))
        transformed: Tensor = self.dropout(self.outer(F.gelu(self.inner(self.feed_forward_norm(x)))))
        return x + transformed


class Network(nn.Module):
    """Map tracks and gap buckets, (B, L) each, to states, (B, L, D). Input and output embeddings are tied."""

    def __init__(
        self, n_tracks: int, n_gaps: int, *, factors: int, blocks: int, max_length: int, dropout: float
    ) -> None:
        super().__init__()
        self.tracks = nn.Embedding(n_tracks + 1, factors)  # the last row is padding
        self.positions = nn.Parameter(torch.zeros(max_length, factors))
        self.gaps = nn.Parameter(torch.zeros(n_gaps, factors))
        self.blocks = nn.Sequential(*(Block(factors, dropout) for _ in range(blocks)))
        self.last, self.dropout = nn.LayerNorm(factors), nn.Dropout(dropout)
        nn.init.normal_(self.tracks.weight, std=INITIAL_STD)

    @override
    def forward(self, tracks: Tensor, gaps: Tensor) -> Tensor:
        x = self.tracks(tracks) + self.positions[: tracks.shape[1]] + F.embedding(gaps, self.gaps)
        states: Tensor = self.last(self.blocks(self.dropout(x)))
        return states


def proposal_distribution(played: Rows, n_tracks: int) -> Tensor:
    """Return the probability, > 0, of sampling each track as a negative. Shape (n_tracks,), float32."""
    weights = (1 + np.bincount(played, minlength=n_tracks)) ** PROPOSAL_EXPONENT
    return torch.from_numpy((weights / weights.sum()).astype(np.float32))


def sampled_softmax(states: Tensor, vectors: Tensor, targets: Tensor, negatives: Tensor, proposal: Tensor) -> Tensor:
    """
    Return the mean cross-entropy of the targets against sampled negatives, with logQ correction.

    The correction makes the sum of exp(score) unbiased: over n sampled tracks, the expected sum of exp(score) / (n *
    proposal) is the sum of exp(score) over the catalogue. Negatives equal to the target are left out, because the
    target itself is always included.

    Args:
        states: States that predict the next track. Shape (B, D), float32.
        vectors: Vectors of all tracks. Shape (>= n_tracks, D), float32.
        targets: Track rows of the next tracks. Shape (B,), int64.
        negatives: Sampled track rows, shared by all states. Shape (n,), int64.
        proposal: Probability of sampling each track. Shape (n_tracks,), float32.
    """
    positive = (states * F.embedding(targets, vectors)).sum(-1, keepdim=True)  # (B,1)
    log_q = torch.log(len(negatives) * proposal[negatives])
    negative = states @ F.embedding(negatives, vectors).T - log_q  # (B,D)*(D,n) -> (B,n)
    negative = negative.masked_fill(negatives == targets[:, None], -torch.inf)
    return F.cross_entropy(torch.cat([positive, negative], dim=1), torch.zeros_like(targets))


@contextmanager
def deterministic_torch(seed: int) -> Iterator[None]:
    """Seed torch and limit it to one thread, so that results are reproducible. Restore both on exit."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(n_threads)
