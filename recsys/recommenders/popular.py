"""Recent popularity: the baseline that all other models are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.parts.segments import popularity
from recsys.recommenders.scorer import Scorer, Validation
from recsys.settings import Positive, Settings


@dataclass(frozen=True)
class PopularConfig(Settings):
    """
    Settings of `Popular`.

    Attributes:
        half_life_days: Half-life [d], > 0, of a listener's weight, by time since they last played the track.
    """

    half_life_days: Positive = 30.0


class Popular(Scorer[PopularConfig]):
    """Score = time-decayed popularity of the track, the same for every user (see `segments.popularity`)."""

    name: ClassVar[str] = "popular"
    config_class: ClassVar[type[Any]] = PopularConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        self._popularity = popularity(interactions, self.config.half_life_days)
        return self

    @override
    def states(self, rows: Rows) -> Rows:
        return rows

    @override
    def fold_in(self, history: History) -> Rows:
        return np.arange(len(history))

    @override
    def keep_users(self, rows: Rows) -> None:
        """Nothing is stored of single users."""

    @override
    def score(self, states: Rows, out: F32) -> None:
        out[:] = self._popularity

    @override
    def arrays(self) -> dict[str, Any]:
        return {"popularity": self._popularity}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._popularity = arrays["popularity"]
