"""
Hiss: steady broadband noise, measured where the music leaves it alone, and reduced by a Wiener filter.

Power that is averaged over a few spectra has a lower edge. That of noise is as sharp as chance makes it, that of music
is not: two low percentiles of a band tell both the noise's level and the share of the band that is noise alone. Bands
with such an edge are trusted; elsewhere the music never stops, and the profile continues by its slope.

The filter looks at the past and the future of each bin. Its gains follow from the power around a bin, cleaned once.

Source: Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE TSAP 9
(2001), from which the lower edge of power is taken; Stein, "Estimation of the mean of a multivariate normal
distribution", Annals of Statistics 9 (1981), for the estimate of what the filter gains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter, uniform_filter1d
from scipy.signal import istft, stft
from scipy.special import gammaincinv

from recsys.arrays import F32, F64, I64

Spectra: TypeAlias = npt.NDArray[np.complex128]  # (n_bins, n_spectra)

FRAME_S = 0.093  # length of a spectrum, which resolves the partials of notes; they begin every quarter of it
SILENT = 1e-12  # power of a spectrum that is not measured, -120 dB of full scale
N_SMOOTHED = 8  # spectra over which power is averaged before its lowest values are taken
SHAPE = 5.0  # of the gamma distribution of power so averaged, if it is noise
PERCENTS = (2.0, 10.0)  # of a band's power, between which its lower edge lies
SHARES = np.geomspace(0.12, 1, 60)  # of a band that may be noise alone; below, the edge is that of music
BANDS_PER_OCTAVE = 3
FIRST_BAND_HZ = 100.0
TRUSTED_HZ = 500.0  # below it no band is trusted: bass is as steady as noise
MIN_SHARE, SURE_SHARE = 0.3, 0.5  # of a band that is noise alone, to lend the profile its slope, and its level
MIN_BANDS, MIN_SURE = 4, 3  # that must have these shares
BIAS_DB = 2.0  # by which music raises the edge of a band where it all but never stops
SLOPE_OCTAVES = 2.0  # around the lowest sure band, over which the slope is taken
SLOPES_DB = (-3.0, 3.0)  # per octave, between which a profile is continued
MIN_LEVEL_DB = -75.0  # of a hiss that is worth removing, relative to full scale
MIN_GAIN_DB = 0.5  # that a cure must promise
MIN_GAIN = 0.1  # of the filter, -20 dB
AROUND, AROUND_CLEANED = (3, 7), (1, 3)  # bins and spectra around a bin, in the first and the second pass
FIRST_BIAS = 1.5  # of the noise's power, taken from what is around a bin


@dataclass(frozen=True, eq=False)
class Floor:
    """
    Lowest power of a window, in third-octave bands from 100 Hz on.

    Attributes:
        powers: Power of a bin of the noise, if the lowest power is noise. Shape (n_bands,).
        shares: Share of the band in time and frequency that is noise alone, 0..1. Shape (n_bands,).
        level_db: The powers of all bins, relative to full scale [dB].
    """

    powers: F64
    shares: F64
    level_db: float


@dataclass(frozen=True, eq=False)
class Hiss:
    """
    A hiss.

    Attributes:
        level_db: Its power, relative to full scale [dB].
        power: Noise profile per bin. Shape (n_bins,).
        gain_db: By how much the filter lowers the error, by its own estimate [dB].
    """

    level_db: float
    power: F64
    gain_db: float

    @property
    def is_curable(self) -> bool:
        """Whether the filter promises a gain."""
        return self.gain_db >= MIN_GAIN_DB


def spectra_of(mono: F32, rate_hz: int) -> Spectra:
    """Return the complex spectra of one channel, scaled so that noise of power p has p in the sum of its bins."""
    n = _n_frame(rate_hz)
    padded = np.pad(mono.astype(np.float64), (0, max(0, n - len(mono))))
    scaled = stft(padded, rate_hz, nperseg=n, noverlap=3 * n // 4)[2] * np.sqrt(4 / 3 * n)
    spectra: Spectra = scaled / np.sqrt(n)
    return spectra


def _n_frame(rate_hz: int) -> int:
    return 4 * round(FRAME_S * rate_hz / 4)


def _octaves(rate_hz: int) -> F64:
    """Return how far each bin is above the first band, shape (n_bins,) [octaves]."""
    n = _n_frame(rate_hz)
    return np.asarray(np.log2(np.maximum(np.arange(n // 2 + 1), 1) * rate_hz / n / FIRST_BAND_HZ))


def _bands(rate_hz: int) -> I64:
    """Return the band of each bin, negative below the first, shape (n_bins,)."""
    return np.asarray(np.floor(BANDS_PER_OCTAVE * _octaves(rate_hz)), np.int64)


def measure_floor(mono: F32, rate_hz: int) -> Floor | None:
    """Measure the lowest power in one channel of a window, shape (n,); None with less than a second of sound."""
    power = np.square(np.abs(spectra_of(mono, rate_hz)))
    power = power[:, power.sum(axis=0) > SILENT]
    if power.shape[1] < 4 / FRAME_S:
        return None
    smoothed = uniform_filter1d(power, N_SMOOTHED, axis=1)[:, :: N_SMOOTHED // 2]
    bands = _bands(rate_hz)
    edges = np.array([np.percentile(smoothed[bands == band], PERCENTS) for band in range(bands.max() + 1)])
    shares = _shares(edges)
    powers = edges[:, 1] / _quantile(PERCENTS[1] / 100 / np.maximum(shares, SHARES[0]))
    level = (powers * np.bincount(bands[bands >= 0])).sum()
    return Floor(powers, shares, float(10 * np.log10(level + 1e-20)))


def _quantile(share: F64) -> F64:
    """Return the power that a share of averaged noise is below, relative to its mean."""
    return np.asarray(gammaincinv(SHAPE, share) / SHAPE)


def _shares(edges: F64) -> F64:
    """Return which share of each band is noise alone, from its two percentiles, shape (n_bands, 2); 0 for none."""
    lower, upper = (_quantile(percent / 100 / SHARES) for percent in PERCENTS)
    of_noise = (upper / lower)[::-1]  # the sharper, the more noise
    ratios = (edges[:, 1] + 1e-20) / (edges[:, 0] + 1e-20)
    return np.where(ratios > of_noise[-1], 0, np.interp(ratios, of_noise, SHARES[::-1]))


def find_hiss(floors: Sequence[Floor], powers: Sequence[F64], rate_hz: int) -> Hiss | None:
    """
    Find a hiss in the floors of the windows of a recording.

    Args:
        floors: Of its windows that are not silent.
        powers: Mean power of each window per bin, of the same number.
        rate_hz: Its sampling rate [Hz].

    Returns:
        The hiss; None if there is none, or it is fainter than `MIN_LEVEL_DB`.
    """
    if not floors:
        return None
    lowest = np.percentile([floor.powers for floor in floors], 25, axis=0)
    profile = _profile(lowest, np.median([floor.shares for floor in floors], axis=0), rate_hz)
    if profile is None:
        return None
    level_db = float(10 * np.log10(profile.sum() + 1e-20))
    gain_db = _gain_db(profile, np.mean(powers, axis=0))
    return Hiss(level_db, profile, gain_db) if level_db >= MIN_LEVEL_DB else None


def _profile(powers: F64, shares: F64, rate_hz: int) -> F64 | None:
    """Return the noise per bin: that of bands that are often noise alone, continued from them; None without any."""
    octaves, bands = _octaves(rate_hz), _bands(rate_hz)
    centres = np.array([octaves[bands == band].mean() for band in range(len(powers))])
    levels_db = 10 * np.log10(powers + 1e-20) - BIAS_DB * (1 - shares)
    is_trusted = (shares >= MIN_SHARE) & (centres >= np.log2(TRUSTED_HZ / FIRST_BAND_HZ))
    is_sure = is_trusted & (shares >= SURE_SHARE)
    if is_trusted.sum() < MIN_BANDS or is_sure.sum() < MIN_SURE:
        return None
    lowest = centres[is_sure][0]
    is_near = is_trusted & (np.abs(centres - lowest) <= SLOPE_OCTAVES)
    slope = _slope_db(centres[is_near], levels_db[is_near], shares[is_near])
    known = np.interp(octaves, centres[is_sure], levels_db[is_sure])
    beyond = octaves - np.clip(octaves, lowest, centres[is_sure][-1])
    highest = np.interp(octaves, centres, levels_db)
    return np.asarray(10 ** (np.minimum(known + slope * beyond, highest) / 10))


def _slope_db(centres: F64, levels_db: F64, shares: F64) -> float:
    """Return the slope of bands, which is nearer to 0 the fewer octaves they span [dB per octave]."""
    span = float(np.ptp(centres))
    slope = np.polyfit(centres, levels_db, 1, w=shares)[0] if span else 0.0
    return float(np.clip(slope, *SLOPES_DB)) * span / (span + 1)


def mean_power(mono: F32, rate_hz: int) -> F64:
    """Return the mean power of one channel per bin, shape (n_bins,)."""
    return np.asarray(np.square(np.abs(spectra_of(mono, rate_hz))).mean(axis=1))


def _gain_db(noise: F64, power: F64) -> float:
    """Return by how much a Wiener filter lowers the error, if the profile is right [dB]."""
    signal = np.maximum(power - noise, 0)
    gains = np.maximum(signal / (signal + noise + 1e-20), MIN_GAIN)
    error = (np.square(gains) * noise + np.square(1 - gains) * signal).sum()
    return float(10 * np.log10(noise.sum() / (error + 1e-20)))


def remove_hiss(mono: F32, rate_hz: int, hiss: Hiss) -> F32:
    """Filter its hiss out of a channel of a window, shape (n,)."""
    n = _n_frame(rate_hz)
    spectra = spectra_of(mono, rate_hz)
    cleaned = spectra * _gains(np.square(np.abs(spectra)) / (hiss.power[:, None] + 1e-20))
    samples = istft(cleaned * np.sqrt(3 / 4), rate_hz, nperseg=n, noverlap=3 * n // 4)[1]
    return np.asarray(samples[: len(mono)], np.float32)


def _gains(ratios: F64) -> F64:
    """Return the gain of each bin from its power over the noise's, shape (n_bins, n_spectra); 1 without noise."""
    first = np.maximum(uniform_filter(ratios, AROUND) - FIRST_BIAS, 0)
    cleaned = uniform_filter(np.square(first / (1 + first)) * ratios, AROUND_CLEANED)
    return np.asarray(np.maximum(cleaned / (1 + cleaned), MIN_GAIN))
