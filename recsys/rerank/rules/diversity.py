"""
Maximal marginal relevance: a track that is like one already chosen must be the more relevant.

Source:
    Carbonell, Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries
    (1998), scaled so that relevance counts 1.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState, refuse_negative


@dataclass(frozen=True)
class Diversity(RerankRule):
    """What the greatest likeness (cosine, see `RerankContext.vectors`) to a track already chosen costs: `weight`."""

    weight: float = 0.1

    def __post_init__(self) -> None:
        """Refuse to reward sameness."""
        refuse_negative("diversity", self.weight)

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return _Apart(candidates.of_track(candidates.context.vectors, users), self.weight)


class _Apart(RuleState):
    def __init__(self, vectors: F32, weight: float) -> None:
        self._vectors = vectors  # (n_block, n, n_dimensions)
        self._likeness = np.zeros(vectors.shape[:2], np.float32)  # to the most alike of the chosen
        self._weight = np.float32(weight)

    @override
    def gain(self) -> F32:
        return -self._weight * self._likeness

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        vectors = self._vectors if len(users) == len(self._vectors) else self._vectors[users]
        taken = self._vectors[users, columns]
        cosines = (vectors @ taken[:, :, None])[:, :, 0]  # (B,n,D)*(B,D,1) -> (B,n)
        self._likeness[users] = np.maximum(self._likeness[users], cosines)
