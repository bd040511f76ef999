"""
Full analysis of an audio file: decode it, then compute features, embedding, tags and fingerprint.

`Analyse` is the task of a worker process: a small picklable object that is called with a path, and that loads its
networks at the first call. The same bytes give the same result.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

from recsys.arrays import F32
from recsys.audio.embedding.embed import Embedder, Embedding
from recsys.audio.embedding.instruments import VERSION
from recsys.audio.features.measure import FORMAT, features
from recsys.audio.fingerprint.fingerprinter import Fingerprinter
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import read_audio
from recsys.files import short_hash
from recsys.lake.measured import Features


def analyser_version(declared: type[Features]) -> str:
    """
    Return the version of the code that computes features: `FORMAT` and a hash of the attributes' names.

    A scan analyses a file again if another version computed its features. `FORMAT` is raised by hand: with a hash of
    the code, even a refactoring would cause a whole catalogue to be analysed again. `tests/audio/test_analyser.py`
    fails until somebody has decided whether to raise it.
    """
    return f"recsys-{FORMAT}-{short_hash(*sorted(field.name for field in fields(declared)))[:8]}"


@dataclass(frozen=True)
class Analysis:
    """
    Result of the analysis of one file.

    Attributes:
        codec: Name of the codec, as libav or libsndfile gives it.
        duration_ms: Length of the decoded audio [ms].
        lost_ms: Length that could not be decoded [ms].
        rate_hz: Sampling rate of the file [Hz].
        n_channels: Number of channels.
        features: Measured attributes.
        embedding: Embedding vector and tags; None where there is none (see `Embedder.embed`).
        fingerprint: Vectors 0.256 s apart, shape (n, 128), float32.
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
    The task of analysing a file.

    Attributes:
        encoder: Name of a pretrained encoder, or the folder of one trained by `recsys audio train` or of an ONNX file.
    """

    encoder: str

    @cached_property
    def embedder(self) -> Embedder:
        """The loaded encoder and taggers."""
        return Embedder.load(self.encoder)

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The loaded fingerprint network."""
        return Fingerprinter.load()

    @property
    def version(self) -> str:
        """Versions of features, encoder, fingerprint network and tags; equal versions give equal results."""
        return f"{analyser_version(Features)} {self.embedder.version} {self.fingerprinter.version} {VERSION}"

    def __call__(self, path: Path) -> Analysis:
        """Analyse a file; raises UnreadableAudio if nothing of it can be decoded."""
        signal = read_audio(path)
        mono = signal.mono(RATE_HZ)
        embedding = self.embedder.embed(signal, mono)
        vocal_share = None if embedding is None else embedding.vocal_share
        return Analysis(
            codec=signal.codec,
            duration_ms=round(signal.duration_s * 1000),
            lost_ms=round(signal.lost_s * 1000),
            rate_hz=signal.rate_hz,
            n_channels=signal.n_channels,
            features=replace(features(signal, mono), vocal_share=vocal_share),
            embedding=embedding,
            fingerprint=self.fingerprinter.recording_vectors(mono, RATE_HZ),
        )
