"""
Power of a stem by auditory band and time, and which stems cover which: a simple model of simultaneous masking.

Bands are one ERB wide (Glasberg, Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing
Research 47, 1990). A masker also covers neighbouring bands, less by 27 dB per band below and 10 dB per band above it
(Zwicker, Fastl, Psychoacoustics, 1999). Advice and tables name broad bands, which are made of these.
"""

from typing import NamedTuple

import numpy as np
from scipy.fft import rfft

from recsys.arrays import F32, F64, Bool

FIRST_ERB, LAST_ERB = 2, 39  # ERB numbers: 56 Hz to 15 kHz
N_BANDS = LAST_ERB - FIRST_ERB + 1
FRAME_S = 0.1
SLOPE_BELOW_DB, SLOPE_ABOVE_DB = 27.0, 10.0  # of the spread of a masker per band [dB]
COVERED_DB = -6.0  # signal to masker, below which a band is covered
ACTIVE_DB, SILENT_DB = -30.0, -70.0  # a stem is active above this level, relative to its loudest frames; and absolute
MIN_WEIGHT = 0.05  # of a broad band in the loudness of a stem, below which it does not count
N_BLOCK = 256  # frames that are transformed together


class BroadBand(NamedTuple):
    """A range of frequencies [Hz]."""

    low_hz: int
    high_hz: int


BROAD = (
    BroadBand(50, 120),
    BroadBand(120, 400),
    BroadBand(400, 1_000),
    BroadBand(1_000, 4_000),
    BroadBand(4_000, 8_000),
    BroadBand(8_000, 15_000),
)


def erb_number(frequency_hz: F64) -> F64:
    """Return the ERB number of frequencies [Hz]."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * frequency_hz))


def _centres_hz() -> F64:
    return np.asarray((10 ** (np.arange(FIRST_ERB, LAST_ERB + 1) / 21.4) - 1) / 0.00437)


def broad_of_bands() -> Bool:
    """Return which bands are in which broad band, shape (n_broad, N_BANDS)."""
    centres = _centres_hz()
    return np.stack([(centres >= band.low_hz) & (centres < band.high_hz) for band in BROAD])


def band_powers(samples: F32, rate_hz: int) -> F64:
    """
    Return the power of each band in frames of 0.1 s.

    Args:
        samples: Shape (n_channels, n_samples).
        rate_hz: Sampling rate [Hz].

    Returns:
        Mean square of a full-scale sine is 0.5; summed over channels. Shape (n_frames, N_BANDS), at least one frame;
        bands above half the sampling rate are 0.
    """
    length = round(FRAME_S * rate_hz)
    n_frames = max(1, -(-samples.shape[1] // length))
    padded = np.pad(samples, ((0, 0), (0, n_frames * length - samples.shape[1])))
    numbers = np.rint(erb_number(np.fft.rfftfreq(length, 1 / rate_hz).astype(np.float64))).astype(int)
    members = np.stack([numbers == number for number in range(FIRST_ERB, LAST_ERB + 1)]).astype(np.float32)
    window = np.hanning(length).astype(np.float32)
    powers = np.zeros((n_frames, N_BANDS))
    for channel in padded.reshape(len(samples), n_frames, length):
        for start in range(0, n_frames, N_BLOCK):
            spectra = rfft(channel[start : start + N_BLOCK] * window, axis=1)
            powers[start : start + N_BLOCK] += np.square(np.abs(spectra)) @ members.T
    return powers * 2 / (length * float(np.square(window).sum()))


def is_active(powers: F64) -> Bool:
    """Return in which frames a stem sounds, shape (n_frames,), from its band powers."""
    levels = 10 * np.log10(np.maximum(powers.sum(axis=1), 1e-12))
    return np.asarray(levels > max(SILENT_DB, float(np.percentile(levels, 95)) + ACTIVE_DB))


def with_spread(powers: F64) -> F64:
    """Return the power that maskers have in each band with what they spread from others, in the same shape."""
    away = np.arange(N_BANDS)[:, None] - np.arange(N_BANDS)[None]  # of the covered band, above the masker
    slope_db = np.where(away >= 0, SLOPE_ABOVE_DB * away, -SLOPE_BELOW_DB * away)
    return np.asarray(powers @ (10 ** (-slope_db / 10)).T)


def covered_shares(powers: F64, masker: F64) -> F64:
    """
    Return how much of a stem another covers: the share of its active time, by broad band.

    Args:
        powers: Band powers of the stem, shape (n_frames, N_BANDS).
        masker: Of what may cover it.

    Returns:
        Shape (n_broad,), 0..1; NaN where the stem has little to be covered (`MIN_WEIGHT`). Bands count by their
        loudness (power to the 0.3).
    """
    active, members = is_active(powers), broad_of_bands()
    if not active.any():
        return np.full(len(BROAD), np.nan)
    weights = members * powers[active].mean(axis=0) ** 0.3  # (n_broad, N_BANDS)
    ratio_db = 10 * np.log10(np.maximum(powers[active], 1e-12) / np.maximum(with_spread(masker[active]), 1e-12))
    covered = (weights * (ratio_db < COVERED_DB).mean(axis=0)).sum(axis=1)
    is_weak = weights.sum(axis=1) < MIN_WEIGHT * weights.sum()
    return np.where(is_weak, np.nan, covered / np.maximum(weights.sum(axis=1), 1e-12))
