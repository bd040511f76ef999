"""The [labels] section of a recipe."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from recsys.settings import Settings, Share


@dataclass(frozen=True)
class LabelSettings(Settings):
    """
    The disclosure test of labels' figures, and when a period is closed. A change holds for later periods only.

    Attributes:
        min_listeners: Minimum number of distinct listeners behind a figure, >= 2. Twice the number of accounts that a
            label may own itself.
        max_top_two: Maximum share, 0..1, of a figure that the two greatest listeners make together.
        close_days: Days between the end of a period and its closing, >= 0.
    """

    min_listeners: Annotated[int, Meta(ge=2, le=1_000_000)] = 20
    max_top_two: Share = 0.8
    close_days: Annotated[int, Meta(ge=0, le=366)] = 1
