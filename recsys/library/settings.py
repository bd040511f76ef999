"""Settings of audio analysis in a recipe: the table [audio]."""

from dataclasses import dataclass

from recsys.errors import BadRecipe


@dataclass(frozen=True)
class AudioSettings:
    """
    Encoder and resource limits of audio analysis.

    Attributes:
        encoder: Name of a pretrained encoder, or the folder of one trained by `recsys audio train`.
        workers: Number of worker processes.
        limit_s: Time limit per file; a file that takes longer is skipped [s].
        limit_gb: Memory limit per worker; a file that needs more is skipped [GiB].
    """

    encoder: str = "musicnn"
    workers: int = 2
    limit_s: int = 300
    limit_gb: int = 8

    def __post_init__(self) -> None:
        """Raise BadRecipe if a limit is below 1."""
        if min(self.workers, self.limit_s, self.limit_gb) < 1:
            raise BadRecipe(f"[audio]: found {self}; expected workers, limit_s and limit_gb of at least 1")
