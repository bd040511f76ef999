"""
Chromaprint as a peer of matching: `fpcalc` makes the fingerprints, and every beginning in every recording is tried.

AcoustID's server looks a query's items up, cut to their highest bits, and compares bits where enough of them agree. An
index of hours is small enough to compare all bits everywhere, which finds whatever the look-up would, and more: what
falls short here is the fingerprint's own. The score is how far the best recording is ahead of others, which is kinder
to it than the share of equal bits alone: held tones raise that everywhere. Imports nothing of this project.

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

VECTOR_HOP_S = 1_365 / 11_025  # from one item to the next: a third of 4,096 samples
N_BITS = 32
OTHERS = slice(4, 10)  # ranks of the recordings that the best is compared with; those right behind may be copies
ONLY_WARNED = 3  # status of fpcalc where a stream ends without being told to


def is_installed() -> bool:
    """Whether `fpcalc` is on the PATH."""
    return shutil.which("fpcalc") is not None


def items_of(mono: F32, rate_hz: int) -> U32:
    """
    Return the fingerprint of sound, shape (n,), eight items of 32 bits a second; none below some three seconds.

    Raises:
        subprocess.CalledProcessError: `fpcalc` failed for another reason than sound too short for it.
    """
    loudest = max(1.0, float(np.abs(mono).max(initial=0)))
    samples = np.rint(mono / loudest * 32_767).astype("<i2").tobytes()
    of_stream = ["-format", "s16le", "-rate", str(rate_hz), "-channels", "1", "-"]
    command = ["fpcalc", "-raw", "-json", "-length", "0", *of_stream]
    told = subprocess.run(command, input=samples, capture_output=True, check=False)
    if b"Empty fingerprint" in told.stderr:
        return np.empty(0, np.uint32)
    if told.returncode not in {0, ONLY_WARNED}:
        raise subprocess.CalledProcessError(told.returncode, command, told.stdout, told.stderr)
    return np.array(json.loads(told.stdout)["fingerprint"], np.uint32)


@dataclass(frozen=True)
class Best:
    """
    The recording whose bits agree best.

    Attributes:
        name: Of the recording.
        begins_s: Where in it the query begins [s].
        score: Share of bits that are equal, above the mean share of others, 0..1.
    """

    name: str
    begins_s: float
    score: float


@dataclass(frozen=True, eq=False)
class Chromaprint:
    """
    Fingerprints of recordings, one after the other.

    Attributes:
        names: Of the recordings.
        starts: First item of each, shape (n,).
        items: Shape (n_items,).
    """

    names: list[str]
    starts: I64
    items: U32

    @classmethod
    def build(cls, names: list[str], items: list[U32]) -> Self:
        """Put recordings together."""
        starts = np.cumsum([0, *map(len, items[:-1])], dtype=np.int64)
        return cls(names, starts, np.concatenate(items))

    def save(self, path: Path) -> None:
        """Write them down."""
        np.savez(path, names=np.array(self.names), starts=self.starts, items=self.items)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read them."""
        with np.load(path) as told:
            return cls(told["names"].tolist(), told["starts"], told["items"])

    def best(self, query: U32) -> Best | None:
        """Find the beginning with the most equal bits; none for a query without items."""
        if not len(query):
            return None
        n_starts = len(self.items) - len(query) + 1
        n_other = np.zeros(n_starts, np.uint16)
        for at, item in enumerate(query):  # a query that overhangs its recording meets the next one's bits: noise
            n_other += np.bitwise_count(self.items[at : at + n_starts] ^ item)
        first = int(n_other.argmin())
        track = int(np.searchsorted(self.starts, first, side="right")) - 1
        by_track = np.sort(np.minimum.reduceat(n_other, np.minimum(self.starts, n_starts - 1)))
        score = float(by_track[OTHERS].mean() - by_track[0]) / (N_BITS * len(query))
        return Best(self.names[track], float(first - self.starts[track]) * VECTOR_HOP_S, score)
