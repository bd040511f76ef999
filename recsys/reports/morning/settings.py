"""What a recipe can say about the morning report."""

from dataclasses import dataclass

from recsys.errors import BadRecipe, refuse_below


@dataclass(frozen=True)
class MorningSettings:
    """
    What the morning report tells of.

    Attributes:
        days: Breakouts, uses and refused files of so many last days [d].
        breakout_z: Least z of a breakout, as in marts.breakouts; that mart begins at 5.
        drop_z: Greatest z of a drop, below 0.
        drop_floor: Listeners that an artist's usual week needs for a drop to be one.
        use_probability: Least probability of a use that matching found, 0..1.
        n: Most findings of a kind.
    """

    days: int = 1
    breakout_z: float = 5.0
    drop_z: float = -4.0
    drop_floor: int = 30
    use_probability: float = 0.9
    n: int = 10

    def __post_init__(self) -> None:
        """Refuse reports of nothing, and drops that rise."""
        refuse_below("[morning]", self, days=1, n=1, drop_floor=0, use_probability=0)
        if self.drop_z >= 0 or self.use_probability > 1:
            raise BadRecipe(f"[morning]: {self}; expected drop_z below 0 and use_probability up to 1")
