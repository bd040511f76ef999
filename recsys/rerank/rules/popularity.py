"""
Popularity calibration: make a list about as popular as the tracks that the listener likes.

The penalty of a list is |log(ratio)|, where ratio is the mean popularity of its tracks divided by the mean popularity
of the listener's liked tracks (1 + `evaluate.beyond_accuracy.popularity_lift_at_k`). As in `calibration`, it is
multiplied by the current length of the list. Listeners without a liked track have no penalty.

Source:
    Abdollahpouri et al., The Connection Between Popularity Bias, Calibration, and Fairness in Recommendation (2020),
    for the lift; Steck, Calibrated Recommendations (2018), for the greedy calibration.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, F64, Bool, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import PositiveOrZero, Settings


@dataclass(frozen=True)
class Popularity(Settings, RerankRule):
    """
    Penalise lists whose mean popularity differs from that of the listener's liked tracks.

    Attributes:
        weight: The penalty is weight * list length * |log(ratio)|, see above; 0 or more.
    """

    weight: PositiveOrZero = 0.02

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        profile = candidates.profile
        popularity = np.maximum(
            profile.popularity, 1 / max(1, profile.n_listeners)
        )  # avoids log(0): at least one listener
        liked_popularity = profile.liked_popularity[users][:, None]
        ratios = candidates.track_values(popularity, users) / np.where(np.isnan(liked_popularity), 1, liked_popularity)
        return _PopularityState(ratios, ~np.isnan(liked_popularity), self.weight)


class _PopularityState(RuleState):
    def __init__(self, ratios: F64, has_liked: Bool, weight: float) -> None:
        self._ratios = ratios.astype(
            np.float32
        )  # popularity / mean popularity of the listener's liked tracks, (n_block, n)
        self._sum = np.zeros((len(ratios), 1), np.float32)  # sum of the chosen tracks' ratios
        self._n_chosen = np.zeros((len(ratios), 1), np.float32)
        self._weight = np.where(has_liked, np.float32(weight), np.float32(0))

    @override
    def gain(self) -> F32:
        n_after = self._n_chosen + 1
        ratio = (self._sum + self._ratios) / n_after
        gain: F32 = -self._weight * n_after * np.abs(np.log(ratio))  # the penalty counts once per track of the list
        return gain

    @override
    def update(self, users: Rows, columns: Rows) -> None:
        self._sum[users, 0] += self._ratios[users, columns]
        self._n_chosen[users] += 1
