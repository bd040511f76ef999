"""
Artist cap: limit the number of tracks per artist in a list, and keep them apart.

Tracks of unknown artists are not limited.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import Bool, Rows
from recsys.rerank.base import CandidateSet, RerankRule, RuleState
from recsys.settings import Count, CountOrZero, Settings

NO_POSITION = -1_000  # stands for the last position of an artist who has no track in the list yet


@dataclass(frozen=True)
class ArtistCap(Settings, RerankRule):
    """
    Limit the tracks per artist.

    Attributes:
        tracks: Maximum number of tracks per artist and list, at least 1.
        apart: Minimum number of other tracks between two tracks of one artist, 0 or more. Ignored when only tracks that
            break it are left.
    """

    tracks: Count = 3
    apart: CountOrZero = 0

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return _ArtistCapState(candidates.track_values(candidates.context.artists, users), self)


class _ArtistCapState(RuleState):
    def __init__(self, artists: Rows, cap: ArtistCap) -> None:
        self._artists = artists  # (n_block, n), -1 unknown
        self._counts = np.zeros(artists.shape, np.int16)  # number of chosen tracks by each candidate's artist
        self._last = np.full(artists.shape, NO_POSITION, np.int16)  # position of the last chosen track by that artist
        self._position = 0
        self._cap = cap

    @override
    def allowed(self) -> Bool:
        return self._counts < self._cap.tracks

    @override
    def required(self) -> Bool | None:
        return self._position - self._last > self._cap.apart if self._cap.apart else None

    @override
    def update(self, users: Rows, columns: Rows) -> None:
        taken = self._artists[users, columns][:, None]
        is_same = (self._artists[users] == taken) & (taken >= 0)
        self._counts[users] += is_same
        self._last[users] = np.where(is_same, self._position, self._last[users])
        self._position += 1
