"""No more than a few tracks of one artist in a list, and not one after the other. Unknown artists are all different."""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.arrays import Bool, Rows
from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

NEVER = -1_000  # places ago


@dataclass(frozen=True)
class ArtistCap(RerankRule):
    """At most `tracks` of one artist, with `apart` others between two of them where there are others."""

    tracks: int = 3
    apart: int = 0

    def __post_init__(self) -> None:
        """Refuse to keep every artist out."""
        if self.tracks < 1 or self.apart < 0:
            raise BadRecipe(f"[rerank.artist_cap]: {self}; expected tracks at least 1, apart 0 or more")

    @override
    def begin(self, candidates: CandidateSet, users: slice) -> RuleState:
        return _Counting(candidates.of_track(candidates.context.artists, users), self)


class _Counting(RuleState):
    def __init__(self, artists: Rows, cap: ArtistCap) -> None:
        self._artists = artists  # (n_block, n), -1 unknown
        self._counts = np.zeros(artists.shape, np.int16)  # tracks chosen of each candidate's artist
        self._last = np.full(artists.shape, NEVER, np.int16)  # place of the last of them
        self._place = 0
        self._cap = cap

    @override
    def allowed(self) -> Bool:
        return self._counts < self._cap.tracks

    @override
    def wanted(self) -> Bool | None:
        return self._place - self._last > self._cap.apart if self._cap.apart else None

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        taken = self._artists[users, columns][:, None]
        is_same = (self._artists[users] == taken) & (taken >= 0)
        self._counts[users] += is_same
        self._last[users] = np.where(is_same, self._place, self._last[users])
        self._place += 1
