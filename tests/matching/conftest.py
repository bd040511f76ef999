"""Synthetic recordings and queries: vectors that change over time like those of music, and a synthetic tune."""

import numpy as np
import pytest
from scipy.signal import lfilter

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, VECTOR_HOP_S, Fingerprinter
from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import shipped_calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose


def walk(seed: int, seconds: float) -> np.ndarray:
    """Return unit vectors, a quarter of a second apart, each similar to the one before."""
    return steps(seed, round(seconds / VECTOR_HOP_S), by=0.6)


def steps(seed: int, n: int, *, by: float) -> np.ndarray:
    """Return n unit vectors: each is a random one for the share `by`, and otherwise the one before."""
    random = np.random.default_rng(seed).standard_normal((n, 128))
    random[1:] *= by
    return unit(lfilter([1], [1, by - 1], random, axis=0))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def piece(track: np.ndarray, begin_s: float, seconds: float, *, ratio: float = 1.0, noise: float = 0.7) -> np.ndarray:
    """Return an excerpt of a recording as a query: at a tempo ratio, with noise added to each vector."""
    positions = begin_s / VECTOR_HOP_S + ratio * np.arange(round(seconds / VECTOR_HOP_S))
    left = positions.astype(int)
    vectors = track[left] * (1 - (positions - left)[:, None]) + track[left + 1] * (positions - left)[:, None]
    return unit(vectors + noise * np.random.default_rng(99).standard_normal(vectors.shape) / np.sqrt(128))


def index_of(tracks: dict[str, np.ndarray]) -> FingerprintIndex:
    """Index every second vector of recordings, as the catalogue's index does."""
    return FingerprintIndex.build(list(tracks), [track[::INDEX_STEP] for track in tracks.values()], version="v1")


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """The match classifiers in the package."""
    return shipped_calibration()


@pytest.fixture(scope="session")
def network() -> Fingerprinter:
    """The fingerprint network in the package."""
    return Fingerprinter.load()


@pytest.fixture(scope="session")
def song() -> np.ndarray:
    """Twelve seconds of a synthetic tune, 8 kHz mono."""
    rng = np.random.default_rng(5)
    stereo = render(arrange(compose("song", rng), Style.random(rng), rng, longest_s=12), rate_hz=RATE_HZ, longest_s=12)
    return np.asarray(stereo.mean(axis=0), np.float32)


@pytest.fixture(scope="session")
def tracks() -> dict[str, np.ndarray]:
    """Thirty recordings of one minute each."""
    return {f"t{seed}": walk(seed, 60) for seed in range(30)}
