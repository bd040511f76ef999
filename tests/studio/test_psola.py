"""PSOLA changes the pitch by a ratio, keeps the spectral envelope, and leaves everything else as it is."""

import numpy as np
import pytest

from recsys.arrays import F32, F64
from recsys.studio.voice.psola import Curve, pitch_marks, shift_passage

from .conftest import A3, RATE_HZ, voice

PERIOD = RATE_HZ / 220


def period(times: F64) -> F64:
    """The period of A3."""
    return np.full(len(times), PERIOD)


def up_50_cents(times: F64) -> F64:
    """A ratio of 50 cents from sample 8,000 on."""
    return np.where(times >= 8_000, 2 ** (50 / 1200), 1.0)


def shifted(samples: F32, marks: F64, ratio: Curve) -> F32:
    """Return samples with a passage whose pitch is changed."""
    result = samples.copy()
    shift_passage(samples, result, marks, ratio)
    return result


def test_marks_are_one_period_apart() -> None:
    """On a steady tone, marks are at its period within a hundredth of a sample, inside the passage."""
    mono = voice(np.full(RATE_HZ, float(A3)))[0]

    marks = pitch_marks(mono, 2_000, 20_000, lambda times: period(times) * 1.02)

    assert np.diff(marks) == pytest.approx(PERIOD, abs=0.02)
    assert 2_000 <= marks[0] < 2_000 + PERIOD
    assert 20_000 - 1.1 * PERIOD < marks[-1] < 20_000


def test_only_the_part_with_another_ratio_changes_and_by_that_ratio() -> None:
    """Before the first changed mark and after the last, all samples are the same; between, the pitch is 50 cents up."""
    samples = np.concatenate([voice(np.full(RATE_HZ, float(A3)))] * 2)
    samples[1] *= 0.5
    marks = pitch_marks(samples[0], 1_000, 21_000, period)

    result = shifted(samples, marks, up_50_cents)

    changed = np.flatnonzero((result != samples).any(axis=0))
    assert changed[0] > 8_000 - PERIOD
    assert changed[-1] < marks[-1]
    assert result[1] == pytest.approx(0.5 * result[0], abs=1e-6)
    assert _f0_hz(result[0, 10_000:18_000]) == pytest.approx(220 * 2 ** (50 / 1200), rel=5e-4)


def test_the_envelope_stays() -> None:
    """The harmonics nearest to a resonance keep their level, which they would not if the wave were read faster."""
    pulses = np.zeros(RATE_HZ)
    pulses[np.rint(np.arange(0, RATE_HZ, RATE_HZ / 110)).astype(int)] = 1
    frequency = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    envelope = np.exp(-(((frequency - 1_500) / 300) ** 2))
    vowel = np.fft.irfft(np.fft.rfft(pulses) * envelope, RATE_HZ)[None].astype(np.float32)
    marks = pitch_marks(vowel[0], 1_000, 21_000, lambda times: np.full(len(times), RATE_HZ / 110))

    result = shifted(vowel, marks, lambda times: np.full(len(times), 2 ** (150 / 1200)))

    assert _centroid_hz(result[0, 3_000:19_000]) == pytest.approx(_centroid_hz(vowel[0, 3_000:19_000]), rel=0.01)


def test_a_ratio_of_one_changes_nothing() -> None:
    """The same array is returned, and so it is without marks."""
    samples = voice(np.full(RATE_HZ, float(A3)))
    marks = pitch_marks(samples[0], 1_000, 21_000, period)

    assert np.array_equal(shifted(samples, marks, lambda times: np.ones(len(times))), samples)
    assert np.array_equal(shifted(samples, np.empty(0), up_50_cents), samples)


def test_noise_has_no_marks() -> None:
    """Where no period is like the next, there is nothing to shift."""
    noise = np.random.default_rng(2).standard_normal(4_000).astype(np.float32)

    assert len(pitch_marks(noise, 500, 3_500, period)) <= 3


def _f0_hz(wave: np.ndarray) -> float:
    """The frequency of the strongest line, by a long transform."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 20))
    first = round(150 / RATE_HZ * (1 << 20))
    last = round(300 / RATE_HZ * (1 << 20))
    return float((first + spectrum[first:last].argmax()) * RATE_HZ / (1 << 20))


def _centroid_hz(wave: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    return float((power * np.fft.rfftfreq(len(wave), 1 / RATE_HZ)).sum() / power.sum())
