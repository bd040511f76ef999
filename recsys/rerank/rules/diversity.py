"""
Diversity by maximal marginal relevance (MMR): penalise candidates that are similar to a track already in the list.

Source:
    Carbonell, Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries
    (1998). Here relevance has weight 1: the formula is divided by the weight lambda that the paper gives it.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import PositiveOrZero, Settings


@dataclass(frozen=True)
class Diversity(Settings, RerankRule):
    """Penalise candidates by weight * highest cosine (of `RerankContext.vectors`) to a chosen track; weight >= 0."""

    weight: PositiveOrZero = 0.1

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return _DiversityState(candidates.track_values(candidates.context.vectors, users), self.weight)


class _DiversityState(RuleState):
    def __init__(self, vectors: F32, weight: float) -> None:
        self._vectors = vectors  # (n_block, n, n_dimensions)
        self._similarity = np.zeros(vectors.shape[:2], np.float32)  # cosine to the most similar chosen track
        self._weight = np.float32(weight)

    @override
    def gain(self) -> F32:
        return -self._weight * self._similarity

    @override
    def update(self, users: Rows, columns: Rows) -> None:
        vectors = self._vectors if len(users) == len(self._vectors) else self._vectors[users]
        taken = self._vectors[users, columns]
        cosines = (vectors @ taken[:, :, None])[:, :, 0]  # (B,n,D)*(B,D,1) -> (B,n)
        self._similarity[users] = np.maximum(self._similarity[users], cosines)
