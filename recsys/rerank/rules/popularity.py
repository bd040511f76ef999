"""
Popularity calibration: lists are about as popular as the tracks that the listener likes, neither more nor less.

The cost of a list is the absolute log of a ratio: mean popularity of its tracks over mean popularity of the listener's
liked tracks (the ratio is 1 + `evaluate.beyond_accuracy.popularity_lift_at_k`). As in `calibration`, it is
multiplied by the length of the list so far. Lists of listeners without a liked track cost nothing.

Source:
    Abdollahpouri et al., The Connection Between Popularity Bias, Calibration, and Fairness in Recommendation (2020),
    for the lift; Steck, Calibrated Recommendations (2018), for the greedy calibration.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, Bool, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import PositiveOrZero


@dataclass(frozen=True)
class Popularity(RerankRule):
    """Penalise the popularity lift: `weight` (0 or more) per unit of absolute log ratio and per track of the list."""

    weight: PositiveOrZero = 0.02

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        profile = candidates.profile
        popularity = np.maximum(profile.popularity, 1 / max(1, profile.n_listeners))  # no listener counts as one
        own = profile.own_popularity[users][:, None]
        ratios = candidates.track_values(popularity, users) / np.where(np.isnan(own), 1, own)
        return _PopularityState(ratios, ~np.isnan(own), self.weight)


class _PopularityState(RuleState):
    def __init__(self, ratios: F64, has_own: Bool, weight: float) -> None:
        self._ratios = ratios.astype(np.float32)  # popularity over the listener's own, (n_block, n)
        self._sum = np.zeros((len(ratios), 1), np.float32)  # of the chosen tracks' ratios
        self._n_chosen = np.zeros((len(ratios), 1), np.float32)
        self._weight = np.where(has_own, np.float32(weight), np.float32(0))

    @override
    def gain(self) -> F32:
        n_after = self._n_chosen + 1
        ratio = (self._sum + self._ratios) / n_after
        gain: F32 = -self._weight * n_after * np.abs(np.log(ratio))  # the cost counts for every track of the list
        return gain

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        self._sum[users, 0] += self._ratios[users, columns]
        self._n_chosen[users] += 1
