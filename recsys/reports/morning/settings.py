"""Settings of the morning report, the recipe's section [morning]."""

from dataclasses import dataclass

from recsys.errors import BadRecipe, refuse_below


@dataclass(frozen=True)
class MorningSettings:
    """
    Which findings the morning report includes.

    Attributes:
        days: Number of last days whose breakouts and uses are included [d], at least 1.
        breakout_z: Least z of a breakout (see marts.breakouts) [standard deviations].
        drop_z: Greatest z of an unusual drop, below 0 [standard deviations].
        drop_floor: Listeners that an artist's median week needs for a drop to be included.
        use_probability: Least match probability of a use, 0..1.
        n: Greatest number of findings per section, at least 1.

    Raises:
        BadRecipe: A setting is out of range.
    """

    days: int = 1
    breakout_z: float = 5.0
    drop_z: float = -4.0
    drop_floor: int = 30
    use_probability: float = 0.9
    n: int = 10

    def __post_init__(self) -> None:
        """Raise BadRecipe where a setting is out of range."""
        refuse_below("[morning]", self, days=1, n=1, drop_floor=0, use_probability=0)
        if self.drop_z >= 0 or self.use_probability > 1:
            raise BadRecipe(
                f"[morning]: found drop_z = {self.drop_z} and use_probability = {self.use_probability}, "
                "expected drop_z below 0 and use_probability from 0 to 1"
            )
