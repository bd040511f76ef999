"""Distortions change tempo, pitch, level or band by the requested amount, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import correlate

from recsys.arrays import F32
from recsys.audio.training import distort

RATE_HZ = 16_000
TONE_HZ, SECONDS = 440.0, 6.0
BURSTS_S = np.array([0.5, 1.3, 2.45, 3.1, 4.4, 5.2])  # start times of the bursts


def tone() -> F32:
    """Six seconds of a sine."""
    return (0.3 * np.sin(2 * np.pi * TONE_HZ * np.arange(SECONDS * RATE_HZ) / RATE_HZ)).astype(np.float32)


def bursts() -> F32:
    """Six seconds of a quiet sine with bursts of noise, 60 ms each."""
    rng = np.random.default_rng(7)
    sound = 0.05 * tone()
    for start_s in BURSTS_S:
        start = int(start_s * RATE_HZ)
        sound[start : start + 960] += 0.4 * rng.standard_normal(960, np.float32)
    return np.asarray(sound, np.float32)


def pitch_hz(sound: F32) -> float:
    """The frequency with the largest magnitude."""
    inner = sound[RATE_HZ // 2 : -RATE_HZ // 2]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    return float(spectrum.argmax() * RATE_HZ / len(inner))


def delay_s(sound: F32, original: F32, *, stretched: float = 1.0) -> float:
    """Delay of the bursts against their expected times, by cross-correlation of the envelopes."""
    hop = 16
    envelope, original_envelope = (
        np.sqrt(np.convolve(np.square(wave), np.ones(160) / 160, "same")[::hop]) for wave in (sound, original)
    )
    times = np.arange(len(envelope)) * stretched
    expected = np.interp(times, np.arange(len(original_envelope)), original_envelope)
    correlation = correlate(envelope - envelope.mean(), expected - expected.mean())
    return float((correlation.argmax() - (len(expected) - 1)) * hop / RATE_HZ)


@pytest.mark.parametrize("ratio", [0.85, 0.9, 1.05, 1.15])
def test_tempo_changes_times_and_keeps_pitch(ratio: float) -> None:
    """Time t becomes t / ratio."""
    assert pitch_hz(distort.with_tempo(tone(), RATE_HZ, ratio)) == pytest.approx(TONE_HZ, abs=3)
    faster = distort.with_tempo(bursts(), RATE_HZ, ratio)
    assert len(faster) == round(SECONDS * RATE_HZ / ratio)
    assert abs(delay_s(faster, bursts(), stretched=ratio)) < 0.03


@pytest.mark.parametrize("ratio", [0.92, 0.97, 1.03, 1.08])
def test_speed_changes_times_and_pitch(ratio: float) -> None:
    """Pitch and tempo change together, as on a turntable."""
    assert pitch_hz(distort.with_speed(tone(), ratio)) == pytest.approx(TONE_HZ * ratio, rel=0.004)
    assert len(distort.with_speed(tone(), ratio)) == pytest.approx(SECONDS * RATE_HZ / ratio, rel=0.003)
    assert abs(delay_s(distort.with_speed(bursts(), ratio), bursts(), stretched=ratio)) < 0.02


@pytest.mark.parametrize("semitones", [-3, -1, 1.5, 2])
def test_a_pitch_shift_keeps_times(semitones: float) -> None:
    """The pitch changes by the semitones given."""
    higher = distort.with_pitch(tone(), RATE_HZ, semitones)
    assert pitch_hz(higher) == pytest.approx(TONE_HZ * 2 ** (semitones / 12), rel=0.006)
    shifted = distort.with_pitch(bursts(), RATE_HZ, semitones)
    assert len(shifted) == len(bursts())
    assert abs(delay_s(shifted, bursts())) < 0.03


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0])
@pytest.mark.parametrize("noise", [distort.white_noise, distort.pink_noise])
def test_noise_has_the_requested_level(noise: Callable[[int, np.random.Generator], F32], snr_db: float) -> None:
    """Noise shorter than the sound is repeated; the sound keeps its level."""
    rng = np.random.default_rng(7)
    added = distort.with_background(tone(), noise(RATE_HZ, rng), snr_db, rng) - tone()
    ratio = np.square(tone()).mean() / np.square(added).mean()
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.3)


def test_silence_mixed_in_changes_nothing() -> None:
    """Silence cannot be scaled to a level."""
    mixed = distort.with_background(tone(), np.zeros(100, np.float32), 0, np.random.default_rng(7))
    assert np.array_equal(mixed, tone())


@pytest.mark.parametrize(("exponent", "fall_db"), [(0, 0), (0.5, 9), (1, 18)])
def test_coloured_noise_falls_by_six_decibels_per_octave_and_exponent(exponent: float, fall_db: float) -> None:
    """White, pink and brown noise: 0, 9 and 18 dB over the three octaves from 500 to 4,000 Hz."""
    power = np.square(np.abs(np.fft.rfft(distort.coloured_noise(1 << 18, exponent, np.random.default_rng(7)))))
    hz = np.arange(len(power)) * RATE_HZ / (1 << 18)
    low, high = (power[(hz > centre * 0.9) & (hz < centre * 1.1)].mean() for centre in (500, 4_000))
    assert 10 * np.log10(low / high) == pytest.approx(fall_db, abs=0.5)


def test_pink_noise_is_halfway_between_white_and_brown() -> None:
    """Its amplitude falls with the square root of frequency."""
    pink, halfway = distort.pink_noise(99, np.random.default_rng(7)), np.random.default_rng(7)
    assert np.array_equal(pink, distort.coloured_noise(99, 0.5, halfway))


def test_reverberation_has_the_requested_decay_time() -> None:
    """The tail of a click falls by 60 dB in that time (Schroeder's backward integral, from -5 to -35 dB)."""
    click = np.zeros(RATE_HZ, np.float32)
    click[0] = 1
    response = distort.with_reverb(click, RATE_HZ, 0.5, np.random.default_rng(7), wet_db=6)[1:]
    left_db = 10 * np.log10(np.cumsum(np.square(response.astype(np.float64))[::-1])[::-1] + 1e-12)
    left_db -= left_db[0]
    fall_s = (np.argmax(left_db < -35) - np.argmax(left_db < -5)) / RATE_HZ
    assert 2 * fall_s == pytest.approx(0.5, rel=0.1)


def test_a_telephone_band_passes_its_frequencies_only() -> None:
    """1 kHz passes; 100 Hz and 6 kHz are attenuated."""
    seconds = np.arange(RATE_HZ) / RATE_HZ
    left_db = [
        10 * np.log10(2 * np.square(distort.band_limited(wave, RATE_HZ, 300, 3_400)[2_000:]).mean())
        for wave in (np.sin(2 * np.pi * hz * seconds).astype(np.float32) for hz in (100, 1_000, 6_000))
    ]
    assert left_db[0] < -20
    assert left_db[1] == pytest.approx(0, abs=0.5)
    assert left_db[2] < -15


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("kbit", [32, 64])
def test_mp3_keeps_times_and_length(rate_hz: int, kbit: int) -> None:
    """The delay of the encoder is removed; the samples change."""
    sound = np.resize(bursts(), 3 * rate_hz).astype(np.float32)
    decoded = distort.mp3_coded(sound, rate_hz, kbit)
    assert decoded.shape == sound.shape
    assert not np.array_equal(decoded, sound)
    assert abs(delay_s(decoded, sound)) < 0.003 * RATE_HZ / rate_hz + 0.002


def test_compression_reduces_the_dynamic_range() -> None:
    """A loud and a quiet half, 30 dB apart, are less than 25 dB apart afterwards."""
    sound = tone() * np.repeat(np.array([1, 0.0316], np.float32), len(tone()) // 2)
    half = len(sound) // 2
    loud, quiet = (np.square(part).mean() for part in np.split(distort.compressed(sound, RATE_HZ), [half]))
    assert 10 * np.log10(loud / quiet) < 25


@pytest.mark.parametrize("n", [0, 1, 500])
def test_very_short_audio_is_filtered_too(n: int) -> None:
    """No filter hangs, fails or changes the length."""
    assert len(distort.with_tempo(tone()[:n], RATE_HZ, 1.1)) == round(n / 1.1)
    assert len(distort.compressed(tone()[:n], RATE_HZ)) == n
