"""
A file to everything that is known of its sound: decoded, measured, placed among others, tagged, fingerprinted.

An `Analyse` is what a worker process is given: a small value that is called with a path and loads its encoder at the
first call. The same bytes give the same answer.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from recsys.arrays import F32
from recsys.audio.embedding.embed import Embedder, Embedding
from recsys.audio.features.measure import FORMAT, features
from recsys.audio.fingerprint.fingerprinter import Fingerprinter
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import read_audio
from recsys.files import short_hash
from recsys.lake.measured import Features


def analyser_version(declared: type[Features]) -> str:
    """
    Name what computes the features: it follows the names of the declared attributes and the number of the code.

    A scan analyses files again that were analysed by another version. Names of attributes are hashed; `FORMAT` is
    raised by hand, because a hash of the code would analyse a whole catalogue again for every edited comment
    (`tests/audio/test_analyser.py` fails where the code changed and nobody decided).
    """
    return f"recsys-{FORMAT}-{short_hash(*sorted(field.name for field in fields(declared)))[:8]}"


@dataclass(frozen=True)
class Analysis:
    """
    What one file turned out to be.

    Attributes:
        codec: How it is encoded.
        duration_ms, lost_ms: Length of what could be decoded, and of what could not [ms].
        rate_hz: Sampling rate [Hz].
        n_channels: Channels.
        features: What was measured.
        embedding: Vector and tags; None for silence, and for less than a second.
        prints: Vectors of its fingerprint, a quarter of a second apart, shape (n, 128).
    """

    codec: str
    duration_ms: int
    lost_ms: int
    rate_hz: int
    n_channels: int
    features: Features
    embedding: Embedding | None
    fingerprint: F32


@dataclass(frozen=True)
class Analyse:
    """
    How files are analysed.

    Attributes:
        encoder: A pretrained encoder's name, or the folder of one trained here.
    """

    encoder: str

    @cached_property
    def embedder(self) -> Embedder:
        """The encoder, loaded."""
        return Embedder.load(self.encoder)

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The network of fingerprints, loaded."""
        return Fingerprinter.load()

    @property
    def version(self) -> str:
        """What computed an analysis: equal versions give equal answers."""
        return f"{analyser_version(Features)} {self.embedder.version} {self.fingerprinter.version}"

    def __call__(self, path: Path) -> Analysis:
        """Analyse a file; raises UnreadableAudio where there is nothing to hear."""
        signal = read_audio(path)
        mono = signal.mono(RATE_HZ)
        return Analysis(
            codec=signal.codec,
            duration_ms=round(signal.duration_s * 1000),
            lost_ms=round(signal.lost_s * 1000),
            rate_hz=signal.rate_hz,
            n_channels=signal.n_channels,
            features=features(signal, mono),
            embedding=self.embedder.embed(mono),
            fingerprint=self.fingerprinter.of_sound(mono, RATE_HZ),
        )
