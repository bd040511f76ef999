"""
Files that are asked about, heard in worker processes: nobody trusts them.

A file is heard twice: once for its fingerprint, which is all that its recordings are found by, and a second time, where
something was found, for the sound of these places. Neither holds more than a minute of sound at a time, so that a file
of ten hours needs no more memory than a song, but for its fingerprint: 2 MB an hour.
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

SPAN = tuple[float, float]  # from when to when [s]


@dataclass(frozen=True, eq=False)
class Fingerprinted:
    """
    What was heard of a file.

    Attributes:
        prints: Vectors of its fingerprint, a quarter of a second apart, shape (n, 128), float16; zeros for silence.
        duration_s: Its length [s].
    """

    prints: npt.NDArray[np.float16]
    duration_s: float

    @property
    def vectors(self) -> F32:
        """The vectors as float32."""
        return self.prints.astype(np.float32)


@dataclass(frozen=True)
class FingerprintFile:
    """The task of hearing a file's fingerprint."""

    @cached_property
    def fingerprinter(self) -> Fingerprinter:
        """The network, loaded."""
        return Fingerprinter.load()

    def __call__(self, path: Path) -> Fingerprinted:
        """Hear a file; raises UnreadableAudio where there is nothing to hear."""
        n = 0

        def counted() -> Iterator[F32]:
            nonlocal n
            for piece in mono_pieces(path, RATE_HZ):
                n += len(piece)
                yield piece

        some = [each.astype(np.float16) for each in self.fingerprinter.stream(counted())]
        return Fingerprinted(np.concatenate([np.empty((0, N_DIMENSIONS), np.float16), *some]), n / RATE_HZ)


@dataclass(frozen=True)
class ListenAgain:
    """The task of hearing some places of each file: `spans` by path."""

    spans: Mapping[Path, Sequence[SPAN]]

    def __call__(self, path: Path) -> list[F32]:
        """Return the 8 kHz sound of each span, shape (n,); shorter where the file ends."""
        wanted = self.spans[path]
        parts: list[list[F32]] = [[] for _ in wanted]
        at, last = 0, max((end for _, end in wanted), default=0.0)
        for piece in mono_pieces(path, RATE_HZ):
            for (start, end), own in zip(wanted, parts, strict=True):
                own.append(piece[max(0, round(start * RATE_HZ) - at) : max(0, round(end * RATE_HZ) - at)])
            at += len(piece)
            if at >= last * RATE_HZ:
                break
        return [np.concatenate(own) if own else np.empty(0, np.float32) for own in parts]


def listened(paths: Sequence[Path], settings: AudioSettings) -> Iterator[tuple[Path, Fingerprinted | Failure]]:
    """Hear the fingerprints of files; yields each as soon as it is heard."""
    with Workers(FingerprintFile(), **_limits(len(paths), settings)) as workers:
        yield from workers.map(paths)


def listened_again(
    spans: Mapping[Path, Sequence[SPAN]], settings: AudioSettings
) -> Iterator[tuple[Path, list[F32] | Failure]]:
    """Hear some places of files."""
    with Workers(ListenAgain(spans), **_limits(len(spans), settings)) as workers:
        yield from workers.map(list(spans))


def _limits(n_files: int, settings: AudioSettings) -> dict[str, int]:
    return {
        "n_workers": max(1, min(settings.workers, n_files)),
        "limit_s": settings.limit_s,
        "limit_bytes": settings.limit_gb << 30,
    }
