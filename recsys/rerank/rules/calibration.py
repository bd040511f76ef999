"""
Calibration: who plays 70 % rock and 30 % jazz gets a list of seven and three, not ten times rock.

The cost of a list is the Kullback-Leibler divergence of its mix of genres from the listener's own, as
`evaluate.diversity.miscalibration_at_k` measures it. Tracks without a genre, and listeners without a mix, cost nothing.

Every track of the list bears the cost, so that it weighs as much against the relevance of twenty tracks as of the first
one; on listening logs, that reaches a given divergence at half the price of charging it once a list.

Source: Steck, Calibrated Recommendations (2018), formulas 2 to 7, equal weights, greedy as there.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, I64, Csr, Rows
from recsys.evaluate.diversity import SMOOTHING
from recsys.rerank.base import CandidateSet, RerankRule, RuleState, refuse_negative


@dataclass(frozen=True)
class Calibration(RerankRule):
    """What a divergence of 1 [nat] from the listener's own mix of genres costs each track: `weight`."""

    weight: float = 0.02

    def __post_init__(self) -> None:
        """Refuse to reward a mix for being off."""
        refuse_negative("calibration", self.weight)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return Mixing(candidates, users, candidates.past.mix[users], candidates.past.genres, self.weight)


class Mixing(RuleState):
    """
    Draws a list's mix of parts towards the listener's own.

    Args:
        candidates: The candidates.
        users: The block.
        mix: Share of each part in what the listener plays. CSR, shape (n_block, n_parts), rows of sum 1, or 0.
        parts: Share of each part in a track. CSR, shape (n_tracks, n_parts), rows of sum 1, or 0.
        weight: Cost to each track of a divergence of 1 nat.
    """

    def __init__(self, candidates: CandidateSet, users: slice, mix: Csr, parts: Csr, weight: float) -> None:
        self._shape = candidates.tracks[users].shape
        self._mix: F64 = mix.toarray()
        self._chosen = np.zeros_like(self._mix)  # sum of the chosen tracks' parts
        self._n_chosen = np.zeros((len(self._mix), 1))  # of them, those that have parts
        self._weight = weight
        self._parts = parts
        self._tracks = np.maximum(candidates.tracks[users], 0)
        self._has_parts = np.diff(parts.indptr)[self._tracks] > 0
        self._candidate, self._at, self._part = self._entries()

    def _entries(self) -> tuple[I64, I64, F32]:
        """Every part of a candidate that its listener plays: candidate, place in the mix, and share in the track."""
        tracks, n_parts = self._tracks.ravel(), np.diff(self._parts.indptr)[self._tracks.ravel()]
        candidate = np.repeat(np.arange(len(tracks)), n_parts)
        place = np.repeat(self._parts.indptr[tracks] - np.cumsum(n_parts) + n_parts, n_parts) + np.arange(n_parts.sum())
        at = candidate // self._shape[1] * self._mix.shape[1] + self._parts.indices[place]
        is_played = self._mix.ravel()[at] > 0
        return candidate[is_played], at[is_played], self._parts.data[place[is_played]].astype(np.float32)

    @override
    def gain(self) -> F32:
        n_after = self._n_chosen + 1
        # log of the share after over the share before: the same denominators for all candidates of a listener
        before = (self._chosen + SMOOTHING / (1 - SMOOTHING) * self._mix * n_after).astype(np.float32)
        more = self._mix.astype(np.float32).ravel()[self._at] * np.log1p(self._part / before.ravel()[self._at])
        change = np.bincount(self._candidate, more, minlength=self._has_parts.size).reshape(self._shape)
        # Without parts, a track leaves the mix as it is; with them, all others' shares shrink too.
        after = self._agreement(n_after) + change
        agreement = np.where(self._has_parts, after, self._agreement(self._n_chosen))
        return (self._weight * n_after * agreement).astype(np.float32)  # every track of the list pays

    def _agreement(self, n: F64) -> F64:
        """Minus the cross entropy of the listener's mix with that of the chosen among n tracks, shape (n_block, 1)."""
        share = (1 - SMOOTHING) * self._chosen / np.maximum(n, 1) + SMOOTHING * self._mix
        agreement: F64 = (self._mix * np.log(np.where(self._mix > 0, share, 1))).sum(axis=1, keepdims=True)
        return agreement

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        parts = self._parts[self._tracks[users, columns]]
        self._chosen[users] += parts
        self._n_chosen[users, 0] += self._has_parts[users, columns]
