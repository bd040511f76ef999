"""
Popularity debiasing: divide each candidate's relevance by a power of its popularity.

Popularity is the number of listeners who like a track, at least 1. The divided relevance is scaled to at most 1 per
listener, so that the weights of other rules mean what they meant before. Only candidates can move up: a track that is
not among the recommender's candidates stays out of the list.

Source:
    Steck, Item Popularity and Recommendation Accuracy (2011), for weights that are a power of the popularity.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import Settings, Share


@dataclass(frozen=True)
class Debias(Settings, RerankRule):
    """
    Divide relevance by popularity ** exponent.

    Attributes:
        exponent: 0: relevance stays as it is; 1: a track with a tenth of the listeners gets ten times the relevance;
            0..1.
    """

    exponent: Share = 0.1

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        relevance = candidates.relevance[users]
        popularity = np.maximum(candidates.profile.listener_counts, 1).astype(np.float32) ** -self.exponent
        divided = relevance * candidates.track_values(popularity, users)
        return _DebiasState(divided / divided.max(axis=1, keepdims=True) - relevance)


class _DebiasState(RuleState):
    def __init__(self, gain: F32) -> None:
        self._gain = gain

    @override
    def gain(self) -> F32:
        return self._gain
