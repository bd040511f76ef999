"""
A transformer over play sequences (SASRec), trained to predict the next track at each position.

Each element of a sequence is a track and the time gap to the next play, so the network can distinguish a next play
within minutes from one weeks later. The gap of the last track is the time until now. States of training users and of
folded-in users are computed by the same network. Without `age_days`, a history is in arbitrary order (by track row).

The loss is the cross-entropy over the whole catalogue, or an approximation over tracks sampled by popularity (with logQ
correction). It matters more than the network architecture: pairwise losses with few negatives overrate popular tracks.

Sources: Kang, McAuley, Self-Attentive Sequential Recommendation (ICDM 2018); Klenitskiy, Vasilev, Turning Dross Into
Gold Loss (RecSys 2023); Petrov, Macdonald, gSASRec (RecSys 2023).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from msgspec import Meta
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.dataset.sparse import with_data
from recsys.recommenders.parts.attribution import Attribution, positions_within_groups
from recsys.recommenders.parts.transformer import Network, deterministic_torch, proposal_distribution, sampled_softmax
from recsys.recommenders.parts.user_vectors import UserVectorScorer
from recsys.recommenders.scorer import Validation
from recsys.settings import MAX_VALUE, Count, Dropout, Positive, Seed, Settings

HALF_LIFE_TRACKS = 10  # in attributions, the weight of a track halves per this number of later tracks
N_BLOCK = 512  # users per block
MINUTE, HOUR = 1 / 1440, 1 / 24
GAPS = (2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 1, 3, 7, 14, 30, 90, 365)  # upper bounds of the gap buckets [d]


@dataclass(frozen=True)
class SequentialConfig(Settings):
    """
    Settings of `Sequential`.

    Attributes:
        factors: Dimensions of track vectors and user vectors; even.
        blocks: Number of transformer blocks.
        max_length: Number of latest tracks of a history that are used.
        dropout: Dropout rate in training, 0..1.
        n_negatives: Negatives sampled per batch. If the catalogue is not larger than this, the full softmax is used.
        epochs: Passes over all histories.
        learning_rate: Peak learning rate of AdamW: linear warm-up over a tenth of the steps, then linear decay to 0.
        batch_size: Training windows per gradient step (see `PlaySequences.windows`).
        seed: Seed of the initial weights, the order of batches and all sampling.
    """

    factors: Annotated[int, Meta(ge=2, le=MAX_VALUE, multiple_of=2)] = 64
    blocks: Count = 1
    max_length: Count = 64
    dropout: Dropout = 0.3
    n_negatives: Count = 1024
    epochs: Count = 20
    learning_rate: Positive = 0.005
    batch_size: Count = 32
    seed: Seed = 7


@dataclass(frozen=True, eq=False)
class PlaySequences:
    """
    Histories sorted by time of play, concatenated over users.

    Attributes:
        tracks: Track rows, oldest first within each user. Shape (n_pairs,), int64.
        gaps: Bucket of the time to the user's next play or, for the last play, to now: 0..len(GAPS), see GAPS. Shape
            (n_pairs,), int64.
        ends: Index after each user's last play (exclusive end). Shape (n_users,), int64.
        counts: Plays per user. Shape (n_users,), int64.
    """

    tracks: Rows
    gaps: Rows
    ends: Rows
    counts: Rows

    @classmethod
    def of(cls, history: History, among_ties: Rows | None = None) -> Self:
        """
        Sort the tracks of each user by age, oldest first.

        Args:
            history: Histories with at least one track per user. Strengths are not used.
            among_ties: Sort key for tracks of the same age, aligned with `history.matrix.data`. None: the track row.
        """
        among_ties = history.matrix.indices if among_ties is None else among_ties
        counts = np.diff(history.matrix.indptr).astype(np.int64)
        user = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((among_ties, -history.age_days, user))
        age = history.age_days[order]
        following = np.append(age[1:], np.float32(0))
        following[np.cumsum(counts) - 1] = 0
        tracks = history.matrix.indices[order].astype(np.int64)
        return cls(tracks, np.digitize(age - following, GAPS), np.cumsum(counts), counts)

    def windows(self, length: int) -> tuple[Rows, Rows]:
        """Cut each history, from its end, into training windows of up to `length` plays. Return starts and ends."""
        n_windows = -(-(self.counts - 1) // length)  # number of windows per user
        ends = np.repeat(self.ends, n_windows) - positions_within_groups(n_windows) * length
        return np.maximum(np.repeat(self.ends - self.counts, n_windows), ends - length - 1), ends - 1

    def tokens(self, starts: Rows, ends: Rows, pad: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the tracks, gaps and next tracks of windows, shape (B, L) each; tracks are padded with `pad`."""
        index = starts[:, None] + np.arange((ends - starts).max())
        is_inside, index = index < ends[:, None], np.minimum(index, len(self.tracks) - 1)
        following = self.tracks[np.minimum(index + 1, len(self.tracks) - 1)]
        arrays = np.where(is_inside, self.tracks[index], pad), self.gaps[index], np.where(is_inside, following, pad)
        tracks, gaps, targets = map(torch.from_numpy, arrays)
        return tracks, gaps, targets


class Sequential(UserVectorScorer[SequentialConfig]):
    """Score = inner product of track vector and user vector (the network's output at the user's last track)."""

    name: ClassVar[str] = "sequential"
    config_class: ClassVar[type[Any]] = SequentialConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        with deterministic_torch(self.config.seed):
            self._network = self._new_network(len(interactions.tracks))
            self._train(interactions.liked)
        self._users = self.fold_in(interactions.liked)  # (n_users, factors)
        return self

    def _train(self, history: History) -> None:
        config, network = self.config, self._network
        starts, ends = PlaySequences.of(history).windows(config.max_length)
        n_steps = max(1, config.epochs * -(-len(starts) // config.batch_size))
        optimizer = torch.optim.AdamW(network.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min(10 * (n + 1) / n_steps, 1 - n / n_steps))
        n_tracks = history.matrix.shape[1]
        proposal = proposal_distribution(history.matrix.indices, n_tracks)
        network.train()
        for _ in range(config.epochs):
            shuffled = torch.randperm(
                history.matrix.nnz
            ).numpy()  # random order among plays of the same age, whose order is unknown
            plays = PlaySequences.of(history, shuffled)
            for batch in batches(ends - starts, config.batch_size):
                tracks, gaps, targets = plays.tokens(starts[batch], ends[batch], n_tracks)
                is_real = targets < n_tracks
                loss = self._loss(network(tracks, gaps)[is_real], targets[is_real], proposal)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
        network.eval()

    def _new_network(self, n_tracks: int) -> Network:
        config = self.config
        return Network(
            n_tracks,
            len(GAPS) + 1,
            factors=config.factors,
            blocks=config.blocks,
            max_length=config.max_length,
            dropout=config.dropout,
        )

    def _loss(self, states: Tensor, targets: Tensor, proposal: Tensor) -> Tensor:
        vectors = self._network.tracks.weight
        if len(proposal) <= self.config.n_negatives:
            return F.cross_entropy(states @ vectors[:-1].T, targets)
        negatives = torch.multinomial(proposal, self.config.n_negatives, replacement=True)
        return sampled_softmax(states, vectors, targets, negatives, proposal)

    @override
    def fold_in(self, history: History) -> F32:
        blocks = [self._fold_in_block(history[n : n + N_BLOCK]) for n in range(0, len(history), N_BLOCK)]
        return np.concatenate([np.empty((0, self.config.factors), np.float32), *blocks])

    def _fold_in_block(self, history: History) -> F32:
        plays = PlaySequences.of(history)
        lengths = np.minimum(plays.counts, self.config.max_length)
        tracks, gaps, _ = plays.tokens(plays.ends - lengths, plays.ends, history.matrix.shape[1])
        with deterministic_torch(self.config.seed), torch.inference_mode():
            states = self._network(tracks, gaps)[torch.arange(len(history)), torch.from_numpy(lengths - 1)]
        last: F32 = states.numpy()
        return last

    @override
    def track_vectors(self) -> F32:
        vectors: F32 = self._network.tracks.weight.detach().numpy()[:-1]  # (n_tracks, factors)
        return vectors

    @override
    def attribution(self, history: History) -> Attribution:
        """Attribute by the cosine of two track vectors, times the recency weight of the track in the history."""
        return Attribution.by_cosine(self.track_vectors(), with_data(history.matrix, recency(history)))

    @override
    def arrays(self) -> dict[str, Any]:
        weights = {name: weight.numpy() for name, weight in self._network.state_dict().items()}
        return {"users": self._users, **weights}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._users = arrays["users"]
        with deterministic_torch(self.config.seed):
            self._network = self._new_network(len(arrays["tracks.weight"]) - 1).eval()  # the last row is padding
        self._network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in self._network.state_dict()})


def batches(lengths: Rows, size: int) -> Iterator[Rows]:
    """Yield random batches of window indices. Each batch has windows of similar length, to save padding."""
    noisy_lengths = torch.from_numpy(lengths) + 8 * torch.rand(len(lengths))
    order = noisy_lengths.argsort().numpy()
    starts = np.arange(0, len(order), size)
    yield from (order[n : n + size] for n in starts[torch.randperm(len(starts)).numpy()])


def recency(history: History) -> F32:
    """Return weights aligned with `history.matrix.data`: 1 for the latest track, halved per HALF_LIFE_TRACKS later."""
    counts = np.diff(history.matrix.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-history.matrix.indices, history.age_days, user))
    weights = np.empty(len(order), np.float32)
    weights[order] = 0.5 ** (positions_within_groups(counts) / HALF_LIFE_TRACKS)
    return np.maximum(weights, np.finfo(np.float32).tiny)
