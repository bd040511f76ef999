"""What everybody plays lately: the yardstick for every other model, and the answer for listeners nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from recsys.arrays import F32, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.segments import popularity


@dataclass(frozen=True)
class PopularConfig:
    """
    Settings of `Popular`.

    Attributes:
        half_life_days: After so many days without a play a listener counts half.
    """

    half_life_days: float = 30.0


class Popular(Recommender[PopularConfig]):
    """Time-decayed popularity, the same for every listener (see `segments.popularity`)."""

    name: ClassVar[str] = "popular"
    config_class: ClassVar[type[Any]] = PopularConfig

    @override
    def _fit(self, taste: Interactions) -> None:
        self._popularity = popularity(taste, self.config.half_life_days)

    @override
    def _states(self, rows: Rows) -> Rows:
        return rows

    @override
    def _folded(self, history: History) -> Rows:
        return np.arange(len(history))

    @override
    def _score(self, states: Rows, out: F32) -> None:
        out[:] = self._popularity

    @override
    def _arrays(self) -> dict[str, Any]:
        return {"popularity": self._popularity}

    @override
    def _restore(self, arrays: Mapping[str, Any]) -> None:
        self._popularity = arrays["popularity"]
