"""The [matching] section of a recipe."""

from dataclasses import dataclass

from recsys.errors import refuse_below


@dataclass(frozen=True)
class MatchingSettings:
    """
    The limits of copyright matching.

    Attributes:
        limit_s: Time after which the search of one file is given up, at least 1 [s].
        recordings: Catalogue recordings per nightly run that are compared with the rest of the catalogue, at most.
    """

    limit_s: int = 3_600
    recordings: int = 5_000

    def __post_init__(self) -> None:
        """Raise BadRecipe if a limit is too small."""
        refuse_below("[matching]", self, limit_s=1, recordings=0)
