"""
Nothing that the listener heard lately. For lists that may name known tracks again (`[export] new_only = false`).

What somebody only skipped, or took back, never returns: it was heard, and not liked.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import Bool
from recsys.dataset.sparse import with_data
from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankRule, RuleState


@dataclass(frozen=True)
class NotHeard(RerankRule):
    """Not heard in the last `days` [d]."""

    days: int = 30

    def __post_init__(self) -> None:
        """Refuse less than a day."""
        if self.days < 1:
            raise BadRecipe(f"[rerank.not_heard]: days is {self.days}; expected at least 1")

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        liked, seen = candidates.history[users], candidates.past.seen[users]
        lately = with_data(liked.matrix, liked.age_days < self.days)
        barred = (seen > (liked.matrix > 0)) + lately  # skipped only, or heard lately
        barred.eliminate_zeros()
        tracks, n_tracks = candidates.tracks[users].astype(np.int64), seen.shape[1]
        owners = np.repeat(np.arange(len(tracks)), np.diff(barred.indptr))
        pairs = np.arange(len(tracks))[:, None] * n_tracks + tracks
        return _Fresh(~np.isin(pairs, owners * n_tracks + barred.indices))


class _Fresh(RuleState):
    def __init__(self, is_fresh: Bool) -> None:
        self._is_fresh = is_fresh

    @override
    def allowed(self) -> Bool:
        return self._is_fresh
