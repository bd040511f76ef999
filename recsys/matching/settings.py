"""The [matching] section of a recipe."""

from dataclasses import dataclass

from recsys.settings import Count, CountOrZero, Settings


@dataclass(frozen=True)
class MatchingSettings(Settings):
    """
    The limits of copyright matching.

    Attributes:
        limit_s: Maximum time to decode and fingerprint one file, at least 1 [s].
        recordings: Maximum number of catalogue recordings that one nightly run compares with the rest of the catalogue.
        tunes: Maximum number of catalogue recordings whose tunes one nightly run compares with those of others.
    """

    limit_s: Count = 3_600
    recordings: CountOrZero = 5_000
    tunes: CountOrZero = 50
