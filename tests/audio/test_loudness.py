"""Loudness against the test cases of the standards and against another implementation."""

import tracemalloc
from dataclasses import astuple

import numpy as np
import pyloudnorm
import pytest

from recsys.arrays import F32
from recsys.audio.features.loudness import LoudnessMeter, loudness
from recsys.audio.signal import Signal

RATE_HZ = 48_000


def sine(level_db: float, seconds: float, hz: float = 1000, phase: float = 0) -> F32:
    """A stereo sine with this peak level [dBFS], shape (2, n)."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t + phase)
    return np.tile(wave, (2, 1)).astype(np.float32)


def played(*parts: tuple[float, float]) -> Signal:
    """Sines of 1 kHz one after the other, given by level [dBFS] and length [s]."""
    return Signal(np.concatenate([sine(*part) for part in parts], axis=1), RATE_HZ, "made", 0.0)


# EBU Tech 3341, table 1: cases 1 to 5.
INTEGRATED = [
    (((-23, 20),), -23.0),
    (((-33, 20),), -33.0),
    (((-36, 10), (-23, 60), (-36, 10)), -23.0),
    (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
    (((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
]
# EBU Tech 3342, table 1: cases 1 to 4.
RANGES = [
    (((-20, 20), (-30, 20)), 10),
    (((-20, 20), (-15, 20)), 5),
    (((-40, 20), (-20, 20)), 20),
    (((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15),
]


@pytest.mark.parametrize(("parts", "lufs"), INTEGRATED)
def test_integrated_loudness_meets_the_cases_of_the_standard(
    parts: tuple[tuple[float, float], ...], lufs: float
) -> None:
    """Within 0.1 LU; quiet parts are gated out."""
    assert loudness(played(*parts)).loudness_lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(("parts", "lu"), RANGES)
def test_loudness_range_meets_the_cases_of_the_standard(parts: tuple[tuple[float, float], ...], lu: float) -> None:
    """Within 1 LU."""
    assert loudness(played(*parts)).loudness_range_lu == pytest.approx(lu, abs=1)


# EBU Tech 3341, table 1, cases 15 to 19: divisor of the sampling rate, phase in degrees, true peak [dBTP].
@pytest.mark.parametrize(
    ("part", "degrees", "level_db"), [(4, 0, -6), (4, 45, -6), (6, 60, -6), (8, 67.5, -6), (4, 45, 3)]
)
def test_the_true_peak_lies_between_the_samples(part: int, degrees: float, level_db: float) -> None:
    """Within +0.2 and -0.4 dB; no sample is at the peak. The sine is faded, because a step would ring."""
    samples = sine(level_db, 1, hz=RATE_HZ / part, phase=np.radians(degrees))
    fade = np.minimum(np.arange(samples.shape[1]) / 2_000, 1)
    faded = (samples * fade * fade[::-1]).astype(np.float32)

    peak = loudness(Signal(faded, RATE_HZ, "made", 0.0)).true_peak_dbtp

    assert peak is not None
    assert -0.4 < peak - level_db < 0.2


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 96_000])
def test_two_implementations_agree(rate_hz: int) -> None:
    """On swelling noise, at any sampling rate; pyloudnorm has the same gates."""
    rng = np.random.default_rng(7)
    swell = 10 ** (np.linspace(-2.5, -0.5, 10 * rate_hz))
    samples = (rng.standard_normal((2, 10 * rate_hz)) * swell * 0.2).astype(np.float32)

    ours = loudness(Signal(samples, rate_hz, "made", 0.0)).loudness_lufs

    theirs = pyloudnorm.Meter(rate_hz, filter_class="DeMan").integrated_loudness(samples.T.astype(np.float64))
    assert ours == pytest.approx(theirs, abs=0.05)


def test_memory_does_not_grow_with_the_length() -> None:
    """After half a minute, a meter keeps less than a megabyte; measured at once or by pieces, the values are equal."""
    samples = np.random.default_rng(1).standard_normal((2, 1_400_000), dtype=np.float32) * np.float32(0.1)
    meter = LoudnessMeter(44_100, 2)
    tracemalloc.start()
    meter.add(samples)
    n_kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    found = loudness(Signal(samples, 44_100, "made", 0.0))
    _, n_most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n_kept < 1 << 20
    assert n_most < 3 * samples.nbytes
    assert astuple(found) == pytest.approx(astuple(meter.result()), abs=1e-9)


def test_silence_has_no_loudness(tone: F32) -> None:
    """The share of silence is counted in steps of 0.1 s."""
    nothing = loudness(Signal(np.zeros((2, RATE_HZ), np.float32), RATE_HZ, "made", 0.0))
    half = loudness(Signal(np.concatenate([tone, 0 * tone], axis=1), 44_100, "made", 0.0))

    assert (nothing.loudness_lufs, nothing.loudness_range_lu, nothing.true_peak_dbtp) == (None, None, None)
    assert nothing.silence_share == 1
    assert half.silence_share == pytest.approx(0.5)


def test_short_audio_has_no_loudness() -> None:
    """Loudness needs a block of 0.4 s, loudness range one of 3 s."""
    short = loudness(Signal(sine(-20, 0.3), RATE_HZ, "made", 0.0))

    assert (short.loudness_lufs, short.loudness_range_lu) == (None, None)
    assert short.true_peak_dbtp == pytest.approx(-20, abs=0.6)
    assert loudness(Signal(sine(-20, 2), RATE_HZ, "made", 0.0)).loudness_range_lu is None


def test_stereo_width_is_the_share_of_the_side_signal() -> None:
    """0 for equal channels, 1 for inverted ones, 0.5 for uncorrelated ones."""
    rng = np.random.default_rng(7)
    left, right = rng.standard_normal((2, 50_000)).astype(np.float32)

    widths = [
        loudness(Signal(np.stack(pair), RATE_HZ, "made", 0.0)).stereo_width
        for pair in ((left, left), (left, -left), (left, right), (0 * left, 0 * left))
    ]

    assert widths[0] == 0
    assert widths[1] == 1
    assert widths[2] == pytest.approx(0.5, abs=0.01)
    assert widths[3] is None
    assert loudness(Signal(left[None], RATE_HZ, "made", 0.0)).stereo_width == 0
