"""The [gate] section of a recipe."""

from dataclasses import dataclass

from recsys.errors import BadRecipe, refuse_below


@dataclass(frozen=True)
class GateSettings:
    """
    The limits of the gate.

    Attributes:
        max_drop: Largest share of the current release's rows, or of its listeners with a list, that a run may lack,
            0..1.
        min_last_day: Smallest number of plays on the last day, as a share of a usual day's plays, 0..1.
    """

    max_drop: float = 0.2
    min_last_day: float = 0.1

    def __post_init__(self) -> None:
        """Raise BadRecipe unless both shares are in 0..1."""
        refuse_below("[gate]", self, max_drop=0, min_last_day=0)
        for name in ("max_drop", "min_last_day"):
            if getattr(self, name) > 1:
                raise BadRecipe(f"[gate] {name}: found {getattr(self, name)}, expected a number from 0 to 1")
