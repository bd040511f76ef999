"""The pitch of one voice is measured to a few cents, with vibrato, and of nothing else."""

import numpy as np
import pytest

from recsys.arrays import F32, F64
from recsys.audio.pitch import FRAME_S, RATE_HZ, parabolic_peak, track_pitch, window_powers


def tone(midi: F64) -> F32:
    """Eight harmonics along a pitch per sample, at 16 kHz."""
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((midi - 69) / 12)) / RATE_HZ
    return sum((0.1 * np.sin(k * phase) / k for k in range(1, 9)), np.zeros(len(midi))).astype(np.float32)


@pytest.mark.parametrize("midi", [45.0, 57.25, 69.0, 80.6])
def test_the_pitch_is_right_within_three_cents(midi: float) -> None:
    """From 110 to 860 Hz, with vibrato of 40 cents, every frame but the first and last is near the true curve."""
    curve = midi + 0.4 * np.sin(2 * np.pi * 5 * np.arange(RATE_HZ) / RATE_HZ)

    track = track_pitch(tone(curve))

    inner = np.arange(5, len(track.midi) - 5)
    truth = curve[np.rint(inner * FRAME_S * RATE_HZ).astype(int)]
    assert np.median(np.abs(track.midi[inner] - truth)) < 0.03
    assert np.abs(track.midi[inner] - truth).max() < 0.12
    assert track.sure_share > 0.9


def test_noise_has_no_pitch_and_silence_does_not_sound() -> None:
    """White noise is sounding without a sure pitch; silence is neither, whatever its length."""
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32) * 0.1

    assert track_pitch(noise).sure_share < 0.05
    for n in (1, 100, RATE_HZ):
        silent = track_pitch(np.zeros(n, np.float32))
        assert (silent.sure_share, bool(silent.is_sounding.any()), bool(silent.is_voiced.any())) == (0.0, False, False)


def test_two_voices_at_once_are_not_sure() -> None:
    """A fourth and a bit apart, less than half of the sounding time has a sure pitch."""
    both = tone(np.full(RATE_HZ, 57.0)) + tone(np.full(RATE_HZ, 62.3))

    assert track_pitch(both).sure_share < 0.5


def test_a_parabola_is_found_between_samples() -> None:
    """The peak of samples of a parabola is where the parabola has it."""
    values = 5 - (np.arange(7, dtype=np.float64) - 3.3) ** 2

    shift, height = parabolic_peak(values, 3)

    assert shift == pytest.approx(0.3)
    assert height == pytest.approx(5)


def test_powers_of_windows_are_sums_of_squares() -> None:
    """The running sums equal those of each window."""
    assert window_powers(np.array([1.0, 2, 3, 4]), 2).tolist() == [5, 13, 25]
