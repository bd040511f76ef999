"""No more than a few tracks of one artist in a list. Tracks of unknown artists count for themselves."""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from recsys.errors import BadRecipe
from recsys.rerank.base import Bool, Night, Stage, Turn
from recsys.vocab import Rows


@dataclass(frozen=True)
class ArtistCap(Stage):
    """At most `tracks` of one artist."""

    tracks: int = 3

    def __post_init__(self) -> None:
        """Refuse to keep every artist out."""
        if self.tracks < 1:
            raise BadRecipe(f"[rerank.artist_cap]: tracks is {self.tracks}; expected at least 1")

    @override
    def begin(self, night: Night, users: slice) -> Turn:
        return _Counting(night.of_track(night.about.artists, users), self.tracks)


class _Counting(Turn):
    def __init__(self, artists: Rows, n_allowed: int) -> None:
        self._artists = artists  # (n_block, n), -1 unknown
        self._counts = np.zeros(artists.shape, np.int16)  # tracks chosen of each candidate's artist
        self._n_allowed = n_allowed

    @override
    def allowed(self) -> Bool:
        return self._counts < self._n_allowed

    @override
    def take(self, users: Rows, columns: Rows) -> None:
        taken = self._artists[users, columns][:, None]
        self._counts[users] += (self._artists[users] == taken) & (taken >= 0)
