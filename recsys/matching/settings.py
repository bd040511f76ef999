"""The [matching] section of a recipe."""

from dataclasses import dataclass

from recsys.settings import Count, CountOrZero


@dataclass(frozen=True)
class MatchingSettings:
    """
    The limits of copyright matching.

    Attributes:
        limit_s: Time after which the search of one file is given up, at least 1 [s].
        recordings: Catalogue recordings per nightly run that are compared with the rest of the catalogue, at most.
    """

    limit_s: Count = 3_600
    recordings: CountOrZero = 5_000
