"""What a recipe can say about how files are heard."""

from dataclasses import dataclass

from recsys.errors import BadRecipe


@dataclass(frozen=True)
class AudioSettings:
    """
    How files are heard.

    Attributes:
        encoder: A pretrained encoder's name, or the folder of one trained here.
        workers: Processes at work.
        limit_s: A file that takes longer is given up [s].
        limit_gb: A file that takes more memory is given up [GiB].
    """

    encoder: str = "musicnn"
    workers: int = 2
    limit_s: int = 300
    limit_gb: int = 8

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        if min(self.workers, self.limit_s, self.limit_gb) < 1:
            raise BadRecipe(f"[audio]: {self}; expected workers, limit_s and limit_gb of at least 1")
