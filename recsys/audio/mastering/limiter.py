"""
A true-peak limiter with look-ahead.

The gain falls before a peak, as a smooth curve of 5 ms, and rises by 20 dB per second after it. It is never above what
the eight times oversampled waveform allows at any time within the look-ahead, so the result stays below the ceiling but
for the little that a moving gain changes between samples; `recsys/audio/mastering/chain.py` measures and removes that.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import oaconvolve

from recsys.arrays import F32, F64
from recsys.audio.features.loudness import MARGIN, MAX_GAIN, OVERSAMPLING, oversampled

LOOK_AHEAD_S = 0.005
RELEASE_DB_PER_S = 20.0
CONTEXT_S = 2.0  # of samples before and after a piece that its gain may depend on: enough to rise by 40 dB
BLOCK = 1 << 16  # samples that are oversampled together


def limited(samples: F32, rate_hz: int, ceiling_dbtp: float) -> F32:
    """
    Limit samples.

    Args:
        samples: Shape (n_channels, n_samples).
        rate_hz: Sampling rate [Hz].
        ceiling_dbtp: True peak that is not exceeded [dBTP].

    Returns:
        The limited samples, of the same shape; all channels have the same gain. Samples that need no gain reduction
        within the look-ahead and release are unchanged.
    """
    ceiling = 10 ** (ceiling_dbtp / 20)
    if float(np.abs(samples).max(initial=0.0)) * MAX_GAIN <= ceiling:
        return samples
    peaks = envelope(samples)
    if peaks.max(initial=0.0) <= ceiling:
        return samples
    reduced: F32 = (samples * _smooth_gain(np.minimum(1, ceiling / np.maximum(peaks, 1e-9)), rate_hz)).astype(
        np.float32
    )
    return reduced


def envelope(samples: F32) -> F64:
    """Return the highest value of any channel's oversampled waveform within a sample of each sample, shape (n,)."""
    n = samples.shape[1]
    padded = np.pad(samples, ((0, 0), (MARGIN, MARGIN)))
    peaks = np.zeros(n)
    for start in range(0, n, BLOCK):
        wave = np.abs(oversampled(padded[:, start : start + BLOCK + 2 * MARGIN])).max(axis=0)
        peaks[start : start + BLOCK] = wave.reshape(-1, OVERSAMPLING).max(axis=1)  # from each sample to the next
    highest = np.maximum(peaks, np.abs(samples).max(axis=0))
    return np.asarray(maximum_filter1d(highest, 3, mode="nearest"))


def _smooth_gain(allowed: F64, rate_hz: int) -> F64:
    """Return a smooth gain that is nowhere above the allowed one, shape (n,)."""
    ahead = max(1, round(LOOK_AHEAD_S * rate_hz))
    lowest_db = 20 * np.log10(minimum_filter1d(allowed, 2 * ahead + 1, mode="nearest"))
    rise = RELEASE_DB_PER_S / rate_hz * np.arange(len(allowed))
    released_db = np.minimum(0, np.minimum.accumulate(lowest_db - rise) + rise)
    window = np.hanning(2 * ahead + 3)[1:-1]
    padded = np.pad(released_db, ahead, mode="edge")
    smooth_db = oaconvolve(padded, window / window.sum(), mode="valid")
    return np.asarray(10 ** (np.minimum(0, smooth_db) / 20))
