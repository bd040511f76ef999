"""What a recipe can say about what may be released."""

from dataclasses import dataclass

from recsys.errors import BadRecipe, refuse_below


@dataclass(frozen=True)
class GateSettings:
    """
    What the gate lets pass.

    Attributes:
        max_drop: Largest share of rows or covered listeners that may be gone, 0..1.
        min_last_day: Least plays of the last day, as a share of a usual day's, 0..1.
    """

    max_drop: float = 0.2
    min_last_day: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        refuse_below("[gate]", self, max_drop=0, min_last_day=0)
        if max(self.max_drop, self.min_last_day) > 1:
            raise BadRecipe(f"[gate]: {self}; expected shares from 0 to 1")
