"""
Mains hum: 50 or 60 Hz and its harmonics, found as lines that stand in the spectrum of every window, and notched out.

Notes do not pass for hum: no note of the tuned scale is within .4 % of a multiple of 50 or 60 Hz, and lines must stand
in the median over all windows. Nor do bars that a machine repeats, whose spectrum has lines everywhere: a line of hum
stands alone among its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import percentile_filter
from scipy.signal import iirnotch, sosfiltfilt, tf2sos

from recsys.arrays import F32, F64

MAINS_HZ = (50.0, 60.0)
TOLERANCE = 0.004  # of the mains frequency
STEP_HZ = 0.005  # of the search for it
N_HARMONICS = 24
SPECTRUM_S = 10.0  # length of sound in a spectrum, whose bins are .1 Hz apart
FLOOR_BINS, FLOOR_PERCENT = 101, 85  # around a line, and the percentile that is its surroundings
MIN_LINES = 3  # of the first `N_LOW` harmonics, that make a hum
N_LOW = 10
MIN_LINE_DB = 8.0  # of a line over its surroundings
MAX_COUNTED_DB = 15.0  # of a line in the search for the frequency, so that no note decides alone
MAX_SHARE = 0.15  # of the power below the highest harmonic; what is louder is the bass or a drone
N_ADDED = 3  # harmonics above the highest that is heard, which are notched too
MIN_LEVEL_DB = -80.0  # of a hum, relative to full scale
NOTCH_HZ = 1.6  # width of a notch at -3 dB, of which two are applied, forwards and backwards


@dataclass(frozen=True)
class Hum:
    """
    A hum.

    Attributes:
        frequency_hz: Measured mains frequency, near 50 or 60 Hz [Hz].
        level_db: Power of its lines over their surroundings, relative to a full-scale square wave [dB].
        n_harmonics: Number of the highest harmonic that is heard.
    """

    frequency_hz: float
    level_db: float
    n_harmonics: int


def low_spectrum(mono: F32, rate_hz: int) -> F64 | None:
    """
    Return the power of a sound in bins of .1 Hz from 0 Hz to above the highest harmonic; None if it is too short.

    Args:
        mono: Shape (n,), of which the first 10 s are read.
        rate_hz: Its sampling rate [Hz].

    Returns:
        Mean square of a sine in the middle of a bin. Shape (n_bins,).
    """
    n = round(SPECTRUM_S * rate_hz)
    if len(mono) < n:
        return None
    window = np.hanning(n)
    highest = min(MAINS_HZ[1] * (1 + TOLERANCE) * N_HARMONICS + 10, rate_hz / 2)
    amplitudes = 2 * np.abs(np.fft.rfft(mono[:n] * window)[: int(highest * SPECTRUM_S)]) / window.sum()
    return np.asarray(np.square(amplitudes) / 2)


def find_hum(spectra: Sequence[F64]) -> Hum | None:
    """Find a hum in the spectra of the windows of a recording, as `low_spectrum` returns them; None without one."""
    if not spectra:
        return None
    power = np.median(spectra, axis=0)
    surroundings = percentile_filter(power, FLOOR_PERCENT, FLOOR_BINS, mode="nearest") + 1e-16
    lines_db = 10 * np.log10(power / surroundings + 1e-9)
    frequency_hz = max(_candidate(lines_db, mains_hz) for mains_hz in MAINS_HZ)[1]
    numbers = np.arange(1, N_HARMONICS + 1)
    numbers = numbers[numbers * frequency_hz * SPECTRUM_S + 3 < len(power)]
    places = np.array([_peak(lines_db, number * frequency_hz) for number in numbers])
    is_heard = lines_db[places] >= MIN_LINE_DB
    if is_heard[:N_LOW].sum() < MIN_LINES:
        return None
    numbers, places = numbers[is_heard], places[is_heard]
    lines_hz = np.array([_refined(power, place) for place in places]) / SPECTRUM_S
    mains_hz = float(np.median(lines_hz / numbers))  # a note may hide a line, and move it
    around = np.clip(places[:, None] + np.arange(-2, 3), 0, len(power) - 1)
    excess = np.maximum(power[around] - surroundings[around], 0).sum(axis=1) / 1.5  # a Hann line fills 1.5 bins
    level_db = float(10 * np.log10(excess.sum() + 1e-16))
    if level_db < MIN_LEVEL_DB or excess.sum() > MAX_SHARE * power.sum() / 1.5:
        return None
    return Hum(mains_hz, level_db, int(numbers[-1]))


def _candidate(lines_db: F64, mains_hz: float) -> tuple[float, float]:
    """Return the score and the frequency that fits the lines best, near a nominal mains frequency."""
    candidates = np.arange(mains_hz * (1 - TOLERANCE), mains_hz * (1 + TOLERANCE), STEP_HZ)
    numbers = np.arange(1, N_LOW + 1)
    bins = np.rint(candidates[:, None] * numbers * SPECTRUM_S).astype(int)
    scores = np.clip(lines_db[np.minimum(bins, len(lines_db) - 1)], 0, MAX_COUNTED_DB).sum(axis=1)
    best = np.flatnonzero(scores == scores.max())
    return float(scores.max()), float(candidates[best[len(best) // 2]])


def _peak(lines_db: F64, frequency_hz: float) -> int:
    """Return the highest bin within .2 Hz of a frequency."""
    centre = round(frequency_hz * SPECTRUM_S)
    return centre - 2 + int(np.argmax(lines_db[centre - 2 : centre + 3]))


def _refined(power: F64, place: int) -> float:
    """Return the place of a peak between bins, by a parabola through its logarithms."""
    left, middle, right = np.log(power[place - 1 : place + 2] + 1e-30)
    curvature = left - 2 * middle + right
    return place + (0.5 * (left - right) / curvature if curvature < 0 else 0.0)


def remove_hum(mono: F32, rate_hz: int, hum: Hum) -> F32:
    """Notch the lines of its hum out of a channel of a window, shape (n,), without shifting its phase."""
    lines = hum.frequency_hz * np.arange(1, hum.n_harmonics + N_ADDED + 1)
    lines = lines[lines < 0.49 * rate_hz]
    notches = np.concatenate([tf2sos(*iirnotch(line_hz, line_hz / NOTCH_HZ, rate_hz)) for line_hz in lines])
    n_padded = min(len(mono) - 1, rate_hz)
    return np.asarray(sosfiltfilt(notches, mono.astype(np.float64), padlen=n_padded), np.float32)
