"""
Fingerprints and sound of query files. The files are untrusted, so worker processes decode them.

A file is read twice: once for its fingerprint, by which its recordings are found, and once more for the sound of the
places where something was found. Neither pass keeps more than a minute of sound in memory, so a file of ten hours
needs no more than a song, apart from its fingerprint: 2 MB per hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import N_DIMENSIONS, RATE_HZ, Fingerprinter
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import mono_pieces
from recsys.library.settings import AudioSettings

Span = tuple[float, float]  # start and end [s]


@dataclass(frozen=True, eq=False)
class Fingerprinted:
    """
    The fingerprint of a file.

    Attributes:
        fingerprint: One vector of length 1 per quarter of a second, zeros for silence. Shape (n, 128), float16.
        duration_s: Length of the file [s].
    """

    fingerprint: npt.NDArray[np.float16]
    duration_s: float

    @property
    def vectors(self) -> F32:
        """The fingerprint as float32."""
        return self.fingerprint.astype(np.float32)


@dataclass(frozen=True)
class FingerprintFile:
    """A task for worker processes: take the fingerprint of a file."""

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The network, loaded when it is first used."""
        return Fingerprinter.load()

    def __call__(self, path: Path) -> Fingerprinted:
        """Take the fingerprint of a file; raises UnreadableAudio if the file cannot be decoded."""
        n_samples = 0

        def counted() -> Iterator[F32]:
            nonlocal n_samples
            for piece in mono_pieces(path, RATE_HZ):
                n_samples += len(piece)
                yield piece

        pieces = [vectors.astype(np.float16) for vectors in self.fingerprinter.stream(counted())]
        fingerprint = np.concatenate([np.empty((0, N_DIMENSIONS), np.float16), *pieces])
        return Fingerprinted(fingerprint, n_samples / RATE_HZ)


@dataclass(frozen=True)
class ReadSpans:
    """A task for worker processes: read the sound of some spans of a file. `spans` are by path."""

    spans: Mapping[Path, Sequence[Span]]

    def __call__(self, path: Path) -> list[F32]:
        """Return the 8 kHz mono sound of each span, shape (n,); shorter where the file ends first."""
        spans = self.spans[path]
        parts: list[list[F32]] = [[] for _ in spans]
        offset, last_s = 0, max((end_s for _, end_s in spans), default=0.0)
        for piece in mono_pieces(path, RATE_HZ):
            for (start_s, end_s), part in zip(spans, parts, strict=True):
                part.append(piece[max(0, round(start_s * RATE_HZ) - offset) : max(0, round(end_s * RATE_HZ) - offset)])
            offset += len(piece)
            if offset >= last_s * RATE_HZ:
                break
        return [np.concatenate(part) if part else np.empty(0, np.float32) for part in parts]


def fingerprint_files(paths: Sequence[Path], settings: AudioSettings) -> Iterator[tuple[Path, Fingerprinted | Failure]]:
    """Take the fingerprints of files; yield each file as soon as it is done, or why it could not be decoded."""
    with Workers(FingerprintFile(), **_limits(len(paths), settings)) as workers:
        yield from workers.map(paths)


def read_spans(
    spans: Mapping[Path, Sequence[Span]], settings: AudioSettings
) -> Iterator[tuple[Path, list[F32] | Failure]]:
    """Read spans of files; yield the sounds of each file as soon as it is done, or why it could not be decoded."""
    with Workers(ReadSpans(spans), **_limits(len(spans), settings)) as workers:
        yield from workers.map(list(spans))


def _limits(n_files: int, settings: AudioSettings) -> dict[str, int]:
    return {
        "n_workers": max(1, min(settings.workers, n_files)),
        "limit_s": settings.limit_s,
        "limit_bytes": settings.limit_gb << 30,
    }
