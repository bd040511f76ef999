"""
Popularity calibration: who listens off the beaten track is not walked back to it, and who loves hits gets hits.

The cost of a list is how far the mean popularity of its tracks is from that of the listener's own, in either direction:
the absolute log of their ratio, which `evaluate.beyond_accuracy.popularity_lift_at_k` reads as a lift. Listeners
without a track of their own cost nothing.

Source:
    Abdollahpouri et al., The Connection Between Popularity Bias, Calibration, and Fairness in Recommendation (2020),
    for the lift; calibrated greedily as in Steck, Calibrated Recommendations (2018).
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, Bool, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState, refuse_negative


@dataclass(frozen=True)
class Popularity(RerankRule):
    """What a list whose mean popularity is e times the listener's own, or its e-th part, costs a track: `weight`."""

    weight: float = 0.02

    def __post_init__(self) -> None:
        """Refuse to reward a list for being off."""
        refuse_negative("popularity", self.weight)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        popularity = np.maximum(
            candidates.past.popularity, 1 / max(1, candidates.past.n_listeners)
        )  # nobody: as one listener
        own = candidates.past.own_popularity[users][:, None]
        return _Levelling(
            candidates.of_track(popularity, users) / np.where(np.isnan(own), 1, own), ~np.isnan(own), self.weight
        )


class _Levelling(RuleState):
    def __init__(self, times_own: F64, has_own: Bool, weight: float) -> None:
        self._times_own = times_own.astype(np.float32)  # (n_block, n)
        self._sum = np.zeros((len(times_own), 1), np.float32)  # over the chosen
        self._n_chosen = np.zeros((len(times_own), 1), np.float32)
        self._weight = np.where(has_own, np.float32(weight), np.float32(0))

    @override
    def gain(self) -> F32:
        n_after = self._n_chosen + 1
        ratio = (self._sum + self._times_own) / n_after
        gain: F32 = -self._weight * n_after * np.abs(np.log(ratio))  # n tracks, each of which pays
        return gain

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        self._sum[users, 0] += self._times_own[users, columns]
        self._n_chosen[users] += 1
