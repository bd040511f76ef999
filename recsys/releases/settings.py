"""The [gate] section of a recipe."""

from dataclasses import dataclass

from recsys.settings import Settings, Share


@dataclass(frozen=True)
class GateSettings(Settings):
    """
    The limits of the gate.

    Attributes:
        max_drop: Maximum relative drop in the rows of a table, or in the number of listeners with a list, compared with
            the current release, 0..1.
        min_last_day: Minimum number of plays on the last day, as a share of the median number of daily plays, 0..1.
    """

    max_drop: Share = 0.2
    min_last_day: Share = 0.1
