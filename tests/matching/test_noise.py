"""Noise, hum, sustained chords and near-silence, at any level, are no use of any recording."""

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.audio.training.distort import pink_noise, white_noise
from recsys.matching.alignment import Calibration
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import find_uses

N = 10 * RATE_HZ


def tones(*hz: float, n_partials: int = 1) -> np.ndarray:
    """Return ten seconds of sustained tones, each with partials of falling amplitude."""
    time_s = np.arange(N) / RATE_HZ
    partials = [(k * tone, k) for tone in hz for k in range(1, n_partials + 1) if k * tone < RATE_HZ / 2]
    return np.asarray(np.sum([np.sin(2 * np.pi * partial * time_s + k) / k for partial, k in partials], axis=0))


def brown_noise(rng: np.random.Generator) -> np.ndarray:
    """Return noise whose power falls by 6 dB per octave."""
    spectrum = np.fft.rfft(rng.standard_normal(N))
    return np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 20), N)


SOUNDS = {
    "white noise": white_noise(N, np.random.default_rng(1)),
    "pink noise": pink_noise(N, np.random.default_rng(2)),
    "brown noise": brown_noise(np.random.default_rng(3)),
    "hum": tones(50, n_partials=20),
    "tone": tones(440),
    "high tone": tones(3_000),
    "major chord": tones(220, 277.2, 329.6, n_partials=5),
    "minor chord": tones(146.8, 174.6, 220, n_partials=5),
    "cluster": tones(220, 233, 247, 262, n_partials=5),
    "fifth in noise": 10 * tones(98, 147, n_partials=5) + white_noise(N, np.random.default_rng(4)),
}


def at_level(sound: np.ndarray, dbfs: float) -> np.ndarray:
    """Scale sound to a level below full scale and round it to 16 bits with dither, as a file has it."""
    scaled = sound / np.sqrt(np.square(sound).mean()) * 10 ** (dbfs / 20)
    dither = np.random.default_rng(5).uniform(-0.5, 0.5, (2, len(sound))).sum(axis=0)
    return np.asarray(np.round(scaled * 2**15 + dither) / 2**15, np.float32)


@pytest.fixture(scope="module")
def index(song: np.ndarray, network: Fingerprinter) -> FingerprintIndex:
    """An index of a tune and of recordings that consist of noise or a held chord, each with other samples."""
    other = np.random.default_rng(6)
    recordings = {
        "song": song,
        "sea": brown_noise(other) + pink_noise(N, other),
        "hiss": white_noise(N, other),
        "drone": tones(110, 165, 220, n_partials=6) + 0.1 * pink_noise(N, other),
        "organ": tones(220, 277.5, 330, n_partials=4),
        "hum": tones(50, 100.5, n_partials=12),
    }
    vectors = [network.vectors(at_level(sound, -20), RATE_HZ)[::INDEX_STEP] for sound in recordings.values()]
    return FingerprintIndex.build(list(recordings), vectors, version="v1")


@pytest.mark.parametrize("name", SOUNDS)
def test_noise_and_held_chords_are_no_use(
    index: FingerprintIndex, network: Fingerprinter, calibration: Calibration, name: str
) -> None:
    """Nothing is found at any level and length, although the index holds noise and held chords of its own."""
    for dbfs in (-20, -50, -85):
        vectors = network.vectors(at_level(SOUNDS[name], dbfs), RATE_HZ)
        for n in (36, 16, 8):
            assert find_uses(index, vectors[:n], calibration) == [], (dbfs, n)


@pytest.mark.parametrize("dbfs", [-76, -85, -120])
def test_near_silence_has_no_fingerprint(song: np.ndarray, network: Fingerprinter, dbfs: float) -> None:
    """Below -75 dBFS, sound is silence, also beside louder sound; dither alone is at -96 dBFS."""
    quiet = at_level(song[: 5 * RATE_HZ], dbfs)
    beside = np.concatenate([quiet, at_level(song, -50)])

    assert not network.vectors(quiet, RATE_HZ).any()
    is_silent = np.asarray(~network.vectors(beside, RATE_HZ).any(axis=1))
    assert is_silent[:14].all()
    assert not is_silent[20:].any()


def test_quiet_music_is_found(
    index: FingerprintIndex, song: np.ndarray, network: Fingerprinter, calibration: Calibration
) -> None:
    """Music at -60 dBFS is found, in spite of dither."""
    vectors = network.vectors(at_level(song, -60)[RATE_HZ : 11 * RATE_HZ], RATE_HZ)

    assert [use.audio_id for use in find_uses(index, vectors, calibration)] == ["song"]
