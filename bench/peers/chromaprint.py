"""
Chromaprint as a peer of matching: fingerprints by `fpcalc`, compared exhaustively at every offset of every recording.

AcoustID's server looks up the highest bits of a query's items and compares all bits only where enough of them agree.
An index of some hours is small enough to compare all bits everywhere, which finds everything that the look-up would
find; a miss is thus due to the fingerprint itself. The score is the lead of the best recording over others, which
favours Chromaprint over the share of equal bits alone: sustained tones raise that share for every recording.

Source: Lukas Lalinsky, Chromaprint 1.5 (acoustid.org/chromaprint); algorithm 2, `fpcalc`'s default.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F32, I64

U32: TypeAlias = npt.NDArray[np.uint32]

VECTOR_HOP_S = 1_365 / 11_025  # between two items: a third of 4,096 samples
N_BITS = 32
OTHERS = slice(4, 10)  # ranks that the best recording is compared with; the ranks before may be copies of it
ONLY_WARNED = 3  # exit status of fpcalc after an unannounced end of the stream


def is_installed() -> bool:
    """Check whether `fpcalc` is on the PATH."""
    return shutil.which("fpcalc") is not None


def items_of(mono: F32, rate_hz: int) -> U32:
    """
    Return the fingerprint of a sound: eight items of 32 bits per second, none for less than about three seconds.

    Args:
        mono: Samples, shape (n_samples,); scaled down where they exceed -1..1.
        rate_hz: Sample rate.

    Returns:
        Items, shape (n_items,), uint32.

    Raises:
        subprocess.CalledProcessError: `fpcalc` failed, and not because the sound is too short.
    """
    loudest = max(1.0, float(np.abs(mono).max(initial=0)))
    samples = np.rint(mono / loudest * 32_767).astype("<i2").tobytes()
    of_stream = ["-format", "s16le", "-rate", str(rate_hz), "-channels", "1", "-"]
    command = ["fpcalc", "-raw", "-json", "-length", "0", *of_stream]
    done = subprocess.run(command, input=samples, capture_output=True, check=False)
    if b"Empty fingerprint" in done.stderr:
        return np.empty(0, np.uint32)
    if done.returncode not in {0, ONLY_WARNED}:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return np.array(json.loads(done.stdout)["fingerprint"], np.uint32)


@dataclass(frozen=True)
class Best:
    """
    The recording with the most equal bits.

    Attributes:
        name: Name of the recording.
        offset_s: Offset of the query in it [s].
        score: Share of equal bits above the mean share of other recordings, 0..1.
    """

    name: str
    offset_s: float
    score: float


@dataclass(frozen=True, eq=False)
class Chromaprint:
    """
    An index of recordings: their fingerprints, concatenated.

    Attributes:
        names: Names of the recordings.
        starts: Index of each recording's first item, shape (n_recordings,), int64.
        items: All items, shape (n_items,), uint32.
    """

    names: list[str]
    starts: I64
    items: U32

    @classmethod
    def build(cls, names: list[str], items: list[U32]) -> Self:
        """Build the index from the items of each recording."""
        starts = np.cumsum([0, *map(len, items[:-1])], dtype=np.int64)
        return cls(names, starts, np.concatenate(items))

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        np.savez(path, names=np.array(self.names), starts=self.starts, items=self.items)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an index from a file."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["names"].tolist(), arrays["starts"], arrays["items"])

    def best(self, query: U32) -> Best | None:
        """Find the recording and offset with the most equal bits; None for a query without items."""
        if not len(query):
            return None
        n_starts = len(self.items) - len(query) + 1
        n_unequal = np.zeros(n_starts, np.uint16)
        for position, item in enumerate(query):  # past the end of a recording come the next one's items: random bits
            n_unequal += np.bitwise_count(self.items[position : position + n_starts] ^ item)
        first = int(n_unequal.argmin())
        recording = int(np.searchsorted(self.starts, first, side="right")) - 1
        by_recording = np.sort(np.minimum.reduceat(n_unequal, np.minimum(self.starts, n_starts - 1)))
        score = float(by_recording[OTHERS].mean() - by_recording[0]) / (N_BITS * len(query))
        return Best(self.names[recording], float(first - self.starts[recording]) * VECTOR_HOP_S, score)
