"""Settings of the morning report, the recipe's section [morning]."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from recsys.settings import MAX_VALUE, Count, CountOrZero, PositiveOrZero, Settings, Share


@dataclass(frozen=True)
class MorningSettings(Settings):
    """
    Which findings the morning report includes.

    Attributes:
        days: Number of last days whose breakouts and uses are included [d], at least 1.
        breakout_z: Minimum z-score of a breakout; marts.breakouts contains breakouts from 4 on [standard deviations].
        drop_z: Maximum z-score of a drop, below 0 [standard deviations].
        drop_floor: Minimum listeners in the median week of an artist whose drops are included.
        use_probability: Minimum match probability of a use, 0..1.
        n: Maximum number of findings per section, at least 1.

    Raises:
        BadRecipe: A setting is out of range.
    """

    days: Count = 1
    breakout_z: PositiveOrZero = 5.0
    drop_z: Annotated[float, Meta(ge=-MAX_VALUE, lt=0)] = -4.0
    drop_floor: CountOrZero = 30
    use_probability: Share = 0.9
    n: Count = 10
