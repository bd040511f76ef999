"""What a recipe can say about how files are heard."""

from dataclasses import dataclass

from recsys.settings import Count


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
    workers: Count = 2
    limit_s: Count = 300
    limit_gb: Count = 8
