"""The [gate] section of a recipe."""

from dataclasses import dataclass

from recsys.settings import Share


@dataclass(frozen=True)
class GateSettings:
    """
    The limits of the gate.

    Attributes:
        max_drop: Largest share of the current release's rows, or of its listeners with a list, that a run may lack,
            0..1.
        min_last_day: Smallest number of plays on the last day, as a share of a usual day's plays, 0..1.
    """

    max_drop: Share = 0.2
    min_last_day: Share = 0.1
