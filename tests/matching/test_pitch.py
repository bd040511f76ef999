"""The pitch of a use, measured without the sound of its recording."""

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, Fingerprinter
from recsys.audio.training.distort import pink_noise, with_background, with_pitch, with_speed
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.pitch import pitch_of
from recsys.matching.uses import Use


def use_of(ratio: float) -> Use:
    """A use of ten seconds from the start of the recording, at a tempo ratio."""
    return Use("song", 0.0, 10.0, 0.0, 10.0 * ratio, ratio, 1.0, is_strict=True, n_places=1, score=1.0)


@pytest.fixture(scope="module")
def index(song: np.ndarray, network: Fingerprinter) -> FingerprintIndex:
    """An index of one recording."""
    return FingerprintIndex.build(["song"], [network.vectors(song, RATE_HZ)[::INDEX_STEP]], version="v1")


@pytest.mark.parametrize("semitones", [-2.5, 0.0, 0.7, 2.0])
def test_a_shift_of_pitch_is_measured(
    index: FingerprintIndex, song: np.ndarray, network: Fingerprinter, semitones: float
) -> None:
    """Pitch is measured with an error of at most a third of a semitone."""
    query = with_pitch(song, RATE_HZ, semitones)[: 10 * RATE_HZ]

    assert pitch_of(index, use_of(1.0), query, network) == pytest.approx(semitones, abs=0.33)


@pytest.mark.parametrize("semitones", [-3.0, 0.0, 3.0])
def test_pitch_is_measured_in_noise(
    index: FingerprintIndex, song: np.ndarray, network: Fingerprinter, semitones: float
) -> None:
    """Pink noise 5 dB below the music leaves half a semitone of error, also at the edge of what is looked for."""
    rng = np.random.default_rng(3)
    noisy = with_background(song, pink_noise(len(song), rng), 5, rng)
    query = with_pitch(noisy, RATE_HZ, semitones)[: 10 * RATE_HZ]

    assert pitch_of(index, use_of(1.0), query, network) == pytest.approx(semitones, abs=0.5)


def test_higher_speed_raises_the_pitch(index: FingerprintIndex, song: np.ndarray, network: Fingerprinter) -> None:
    """A recording that is played 5 % faster is 0.84 semitones higher."""
    query = with_speed(song, 1.05)[: 10 * RATE_HZ]

    assert pitch_of(index, use_of(1.05), query, network) == pytest.approx(0.84, abs=0.33)


def test_silence_has_no_pitch(index: FingerprintIndex, song: np.ndarray, network: Fingerprinter) -> None:
    """Silence and excerpts of less than a second have no pitch."""
    assert np.isnan(pitch_of(index, use_of(1.0), np.zeros(80_000, np.float32), network))
    assert np.isnan(pitch_of(index, use_of(1.0), song[:4_000], network))
