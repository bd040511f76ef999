"""What a recipe can say about how recordings are looked for."""

from dataclasses import dataclass

from recsys.errors import BadRecipe


@dataclass(frozen=True)
class MatchingSettings:
    """
    How recordings are looked for.

    Attributes:
        limit_s: A file in which they are looked for is given up after so long [s].
        recordings: Recordings of the catalogue that are looked for in the catalogue each night, at most.
    """

    limit_s: int = 3_600
    recordings: int = 5_000

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through."""
        if self.limit_s < 1 or self.recordings < 0:
            raise BadRecipe(f"[matching]: {self}; expected limit_s of at least 1 and recordings of at least 0")
