"""
Calibration: a listener who plays 70 % rock and 30 % jazz gets seven rock tracks and three jazz tracks, not ten of rock.

The penalty of a list is the Kullback-Leibler divergence of its genre mix from the listener's, as in
`evaluate.diversity.miscalibration_at_k`. Tracks without a genre, and listeners without a known genre mix, have no
penalty. The penalty is multiplied by the current length of the list, because relevance is summed over the list too. On
listening logs, the multiplied penalty reaches a given divergence at half the nDCG loss of the plain penalty.

Source: Steck, Calibrated Recommendations (2018), formulas 2 to 7, equal weights, greedy selection.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, I64, Csr, Rows
from recsys.evaluate.diversity import SMOOTHING
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import PositiveOrZero, Settings


@dataclass(frozen=True)
class Calibration(Settings, RerankRule):
    """Penalise lists by weight * list length * divergence of the genre mix from the listener's [nat]; weight >= 0."""

    weight: PositiveOrZero = 0.02

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return CalibrationState(
            candidates, users, candidates.profile.genre_mix[users], candidates.profile.genres, self.weight
        )


class CalibrationState(RuleState):
    """
    The state of the calibration rule. Its categories, called parts, are the genres.

    Args:
        candidates: The candidates.
        users: The block of listeners.
        mix: Share of each part in the listener's liked tracks. Rows sum to 1, or are all zero if no part is known. CSR,
            shape (n_block, n_parts).
        parts: Share of each part in each track. Rows sum to 1, or are all zero if no part is known. CSR, shape
            (n_tracks, n_parts).
        weight: Penalty per track of the list and nat of divergence.
    """

    def __init__(self, candidates: CandidateSet, users: slice, mix: Csr, parts: Csr, weight: float) -> None:
        self._shape = candidates.tracks[users].shape
        self._mix: F64 = mix.toarray()
        self._chosen = np.zeros_like(self._mix)  # sum of the chosen tracks' parts
        self._n_chosen = np.zeros((len(self._mix), 1))  # number of chosen tracks that have parts
        self._weight = weight
        self._parts = parts
        self._tracks = np.maximum(candidates.tracks[users], 0)
        self._has_parts = np.diff(parts.indptr)[self._tracks] > 0
        self._candidate, self._entry, self._share = self._entries()

    def _entries(self) -> tuple[I64, I64, F32]:
        """Return the candidates' parts that are in the listener's mix: flat candidate and `_mix` indices, and share."""
        tracks, n_parts = self._tracks.ravel(), np.diff(self._parts.indptr)[self._tracks.ravel()]
        candidate = np.repeat(np.arange(len(tracks)), n_parts)
        first = self._parts.indptr[tracks] - np.cumsum(n_parts) + n_parts
        stored = np.repeat(first, n_parts) + np.arange(n_parts.sum())  # indices into `_parts.data`
        entry = candidate // self._shape[1] * self._mix.shape[1] + self._parts.indices[stored]
        is_played = self._mix.ravel()[entry] > 0
        return candidate[is_played], entry[is_played], self._parts.data[stored[is_played]].astype(np.float32)

    @override
    def gain(self) -> F32:
        n_after = self._n_chosen + 1
        # log(share after / share before): the denominators are the same for all candidates of a listener.
        before = (self._chosen + SMOOTHING / (1 - SMOOTHING) * self._mix * n_after).astype(np.float32)
        gain = self._mix.astype(np.float32).ravel()[self._entry] * np.log1p(self._share / before.ravel()[self._entry])
        change = np.bincount(self._candidate, gain, minlength=self._has_parts.size).reshape(self._shape)
        # A track without parts does not change the mix; a track with parts lowers the shares of all other parts.
        after = self._agreement(n_after) + change
        agreement = np.where(self._has_parts, after, self._agreement(self._n_chosen))
        return (self._weight * n_after * agreement).astype(np.float32)  # the penalty counts once per track of the list

    def _agreement(self, n: F64) -> F64:
        """Return minus the cross entropy of the listener's mix and that of a list of n tracks. Shape (n_block, 1)."""
        share = (1 - SMOOTHING) * self._chosen / np.maximum(n, 1) + SMOOTHING * self._mix
        agreement: F64 = (self._mix * np.log(np.where(self._mix > 0, share, 1))).sum(axis=1, keepdims=True)
        return agreement

    @override
    def update(self, users: Rows, columns: Rows) -> None:
        parts = self._parts[self._tracks[users, columns]]
        self._chosen[users] += parts
        self._n_chosen[users, 0] += self._has_parts[users, columns]
