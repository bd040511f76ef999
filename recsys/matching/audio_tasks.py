"""
Fingerprint query files and read spans of their sound. The files are untrusted, so worker processes decode them.

A file is read twice: first to compute its fingerprint, with which uses are found, then to read the sound of these uses.
Neither pass keeps more than a minute of sound in memory. Only the fingerprint grows with the length of the file, by
2 MB per hour.
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
from recsys.errors import InputError
from recsys.library.settings import AudioSettings

Span = tuple[float, float]  # start and end [s]
SHIFTS_SEMITONES = (
    -2.5,
    2.5,
)  # of a query: the network is robust against two semitones, speeds of 85 to 115 % are three


@dataclass(frozen=True, eq=False)
class Fingerprinted:
    """
    The fingerprint of a file.

    Attributes:
        fingerprint: One unit vector per quarter of a second, zeros for silence. Shape (n, 128), float16.
        duration_s: Length of the file [s].
        side_s: Length for which the difference of the channels was searched, since they cancel in their mean [s].
        shifted: Fingerprints of the file after each of SHIFTS_SEMITONES, or none, shape (2 or 0, n, 128), float16.
    """

    fingerprint: npt.NDArray[np.float16]
    duration_s: float
    side_s: float
    shifted: Sequence[npt.NDArray[np.float16]] = ()

    @property
    def vectors(self) -> F32:
        """The fingerprint as float32."""
        return self.fingerprint.astype(np.float32)

    @property
    def shifted_vectors(self) -> list[F32]:
        """The fingerprints after shifts as float32."""
        return [fingerprint.astype(np.float32) for fingerprint in self.shifted]


@dataclass(frozen=True)
class FingerprintFile:
    """A task for worker processes: compute the fingerprint of a file, and after shifts of its pitch [semitones]."""

    semitones: Sequence[float] = ()

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The network, loaded when it is first used."""
        return Fingerprinter.load()

    def __call__(self, path: Path) -> Fingerprinted:
        """Compute the fingerprint of a file; raises UnreadableAudio if the file cannot be decoded."""
        n_samples = 0
        side_s: list[float] = []

        def counted() -> Iterator[F32]:
            nonlocal n_samples
            for piece in mono_pieces(path, RATE_HZ, on_side=side_s.append):
                n_samples += len(piece)
                yield piece

        looks = (0.0, *self.semitones)
        pieces = [vectors.astype(np.float16) for vectors in self.fingerprinter.stream_shifted(counted(), looks)]
        empty = np.empty((len(looks), 0, N_DIMENSIONS), np.float16)
        fingerprint, *shifted = np.concatenate([empty, *pieces], axis=1)
        return Fingerprinted(fingerprint, n_samples / RATE_HZ, sum(side_s), shifted)


@dataclass(frozen=True)
class ReadSpans:
    """A task for worker processes: decode spans of a file. `spans` maps the path of each file to its spans."""

    spans: Mapping[Path, Sequence[Span]]

    def __call__(self, path: Path) -> list[F32]:
        """Return the 8 kHz mono waveform of each span, shape (n,); shorter if the file ends within the span."""
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


def fingerprint_files(
    paths: Sequence[Path], settings: AudioSettings, semitones: Sequence[float] = ()
) -> Iterator[tuple[Path, Fingerprinted | Failure]]:
    """
    Compute the fingerprints of files, and those after shifts of their pitch [semitones].

    Yields each result as soon as it is ready: the fingerprint, or the reason why the file could not be decoded.
    """
    with Workers(FingerprintFile(semitones), **worker_limits(len(paths), settings)) as workers:
        yield from workers.map(paths)


def read_spans(
    spans: Mapping[Path, Sequence[Span]], settings: AudioSettings
) -> Iterator[tuple[Path, list[F32] | Failure]]:
    """
    Decode spans of audio files.

    Yields each file's waveforms as soon as they are ready, or the reason why the file could not be decoded.
    """
    with Workers(ReadSpans(spans), **worker_limits(len(spans), settings)) as workers:
        yield from workers.map(list(spans))


def require_decoded(failures: Mapping[str, str]) -> None:
    """Raise InputError, which lists the failures, if files could not be decoded; `failures` has the reason by file."""
    if failures:
        listed = "".join(f"\n  {file}: {message}" for file, message in failures.items())
        raise InputError(f"The result is incomplete, because files could not be decoded:{listed}")


def worker_limits(n_files: int, settings: AudioSettings) -> dict[str, int]:
    """Return the limits of the worker processes that read so many files."""
    return {
        "n_workers": max(1, min(settings.workers, n_files)),
        "limit_s": settings.limit_s,
        "limit_bytes": settings.limit_gb << 30,
    }
