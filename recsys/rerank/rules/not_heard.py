"""
Leave out tracks heard recently, in lists that may contain known tracks (`[export] new_only = false`).

Tracks with interactions but without a positive strength, such as tracks that the listener only skipped or removed from
the saved tracks, are always left out.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import Bool
from recsys.dataset.sparse import with_data
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import Count, Settings


@dataclass(frozen=True)
class NotHeard(Settings, RerankRule):
    """Allow only tracks that the listener has not heard in the last `days` days (at least 1)."""

    days: Count = 30

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        liked, seen = candidates.history[users], candidates.profile.seen[users]
        recent = with_data(liked.matrix, liked.age_days < self.days)
        excluded = (seen > (liked.matrix > 0)) + recent  # disliked, or heard recently
        excluded.eliminate_zeros()
        tracks, n_tracks = candidates.tracks[users].astype(np.int64), seen.shape[1]
        owners = np.repeat(np.arange(len(tracks)), np.diff(excluded.indptr))
        pairs = np.arange(len(tracks))[:, None] * n_tracks + tracks
        return _NotHeardState(~np.isin(pairs, owners * n_tracks + excluded.indices))


class _NotHeardState(RuleState):
    def __init__(self, is_allowed: Bool) -> None:
        self._is_allowed = is_allowed

    @override
    def allowed(self) -> Bool:
        return self._is_allowed
