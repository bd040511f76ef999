"""Settings of audio analysis in a recipe: the table [audio]."""

from dataclasses import dataclass

from recsys.settings import Count, CountOrZero, Settings


@dataclass(frozen=True)
class AudioSettings(Settings):
    """
    Encoder and resource limits of audio analysis.

    Attributes:
        encoder: Name of a pretrained encoder, or the folder of one trained by `recsys audio train` or of an ONNX file.
        workers: Number of worker processes.
        limit_s: Time limit per file; a file that takes longer is skipped [s].
        limit_gb: Memory limit per worker; a file that needs more is skipped [GiB].
        heard_again: Largest number of recordings per nightly run that are analysed again because another version of the
            features' code analysed them; the others follow in later runs.
    """

    encoder: str = "musicnn"
    workers: Count = 2
    limit_s: Count = 300
    limit_gb: Count = 8
    heard_again: CountOrZero = 2_000
